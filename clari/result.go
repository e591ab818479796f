package clari

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/weirhq/weir"
)

// Result is an answer that may be gigabytes. The caller closes Body.
type Result struct {
	// Body ends in io.EOF only if all that was announced has come. A body cut
	// short ends in an [*Error] of [KindTransient] that wraps
	// [io.ErrUnexpectedEOF]; one on which nothing comes for the idle timeout, in
	// one that wraps [ErrTimeout]. Without Length a clean end cannot always be
	// told from a cut, so check that the document itself is complete.
	Body io.ReadCloser
	// Length is the size in bytes; -1: not known.
	Length int64
	// SHA256 is that of the bytes as the answer's headers announce it; nil: not
	// said, as the API's own answers are seen to do.
	SHA256      []byte
	ContentType string
	Date        time.Time // the server's clock; zero: not said
}

// Results streams the file of a finished job, GET /export/jobs/{jobId}/results:
// [ErrInvalidJob] unless it is done and not expired. No compression is asked
// for, so that the length can be checked.
func (c *Client) Results(ctx context.Context, id string) (*Result, error) {
	what := c.jobCall("fetch results of job ", http.MethodGet, id, "/results")
	if err := checkID(id); err != nil {
		return nil, c.invalid(what, err)
	}
	return c.stream(ctx, what)
}

// Forecast streams the current week of a forecast tab, GET
// /forecast/{forecastId}: the shape of a JSON result, at no cost in quota. An
// empty period is the current quarter.
func (c *Client) Forecast(ctx context.Context, id string, period weir.Period) (*Result, error) {
	query := url.Values{}
	if period != "" {
		query.Set("timePeriod", string(period))
	}
	what := call{
		op: "read forecast " + show(id, maxWordBytes), method: http.MethodGet,
		route: "/forecast/{forecastId}", url: c.address("/forecast/"+escape(id), query),
	}
	if err := (ForecastExport{ForecastID: id, Period: period}).check(); err != nil {
		return nil, c.invalid(what, err)
	}
	return c.stream(ctx, what)
}

// maxOpportunities is the API's own bound for one call.
const maxOpportunities = 100

// Opportunities streams 1 to 100 opportunities with their fields, GET
// /opportunity?oppId=..&oppId=..
func (c *Client) Opportunities(ctx context.Context, ids []string) (*Result, error) {
	what := call{
		op: "read opportunities", method: http.MethodGet,
		route: "/opportunity", url: c.address("/opportunity", url.Values{"oppId": ids}),
	}
	if len(ids) == 0 || len(ids) > maxOpportunities {
		return nil, c.invalid(what, fmt.Errorf("%d ids, want 1 to %d: %w", len(ids), maxOpportunities, weir.ErrRequest))
	}
	return c.stream(ctx, what)
}

func (c *Client) stream(ctx context.Context, what call) (*Result, error) {
	what.plain = true
	x, err := c.open(ctx, what)
	if err != nil {
		return nil, err
	}
	if x.resp.StatusCode != http.StatusOK {
		defer x.close()
		return nil, x.misread(errors.New("a status other than 200 brings no file"))
	}
	length, sum := x.resp.ContentLength, announcedSHA256(x.resp.Header)
	if _, raw := x.body.(rawBody); !raw {
		length, sum = -1, nil
	}
	return &Result{
		Body: &download{x: x}, Length: length, SHA256: sum,
		ContentType: x.resp.Header.Get("Content-Type"), Date: x.date(),
	}, nil
}

// download is the body of a [Result].
type download struct {
	x   *exchange
	err error
}

// Read gives io.EOF or an *Error at the end, and the same ever after.
func (d *download) Read(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	n, err := d.x.body.Read(p)
	if err != nil && err != io.EOF {
		err = d.x.fail(outcome{status: d.x.resp.StatusCode, flaw: cut, err: err})
	}
	d.err = err
	return n, err
}

// Close ends the download. It may be called from another goroutine to end a
// Read.
func (d *download) Close() error {
	d.x.close()
	return nil
}
