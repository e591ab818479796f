package clari

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/weirhq/weir"
)

// JobList is one complete reading of every job that the key's user ever
// started, in the server's order.
type JobList struct {
	Jobs  []weir.Job
	Date  time.Time     // the server's clock; zero: not said
	Bytes int64         // size of the answer, decompressed
	Took  time.Duration // from asking for a connection to the last byte
}

// Cancellation is the server's word on a cancelled job.
type Cancellation struct {
	JobID      string
	Status     weir.JobStatus
	RawStatus  string
	Successful bool // as said; where it was not, whether Status is an ended one
	Date       time.Time
}

// Jobs reads all jobs, GET /export/jobs, as [..] or {"jobs":[..]}. The list
// grows for ever; it is decoded as it streams and refused with [ErrTooLarge]
// above 256 MiB, or where one entry exceeds 1 MiB. A list with an entry that
// cannot be read is [ErrUndecodable] as a whole: half a list proves nothing.
func (c *Client) Jobs(ctx context.Context) (JobList, error) {
	began := time.Now()
	x, err := c.open(ctx, call{
		op: "list jobs", method: http.MethodGet, route: "/export/jobs", url: c.address("/export/jobs", nil),
	})
	if err != nil {
		return JobList{}, err
	}
	defer x.close()
	jobs, size, err := decodeJobs(x.body)
	if err != nil {
		return JobList{}, x.misread(err)
	}
	if asked := x.trace.since.Load(); asked != nil {
		began = *asked
	}
	return JobList{Jobs: jobs, Date: x.date(), Bytes: size, Took: time.Since(began)}, nil
}

// Job reads one job, GET /export/jobs/{jobId}, and the server's clock (zero:
// not said). An answer about another job is [ErrUndecodable].
func (c *Client) Job(ctx context.Context, id string) (weir.Job, time.Time, error) {
	what := c.jobCall("read job ", http.MethodGet, id, "")
	if err := checkID(id); err != nil {
		return weir.Job{}, time.Time{}, c.invalid(what, err)
	}
	var job weir.Job
	date, err := c.answer(ctx, what, func(body []byte) (err error) {
		job, err = decodeJob(body, id)
		return err
	})
	if err != nil {
		return weir.Job{}, time.Time{}, err
	}
	return job, date, nil
}

// Cancel cancels a job, PATCH /export/jobs/{jobId}; [ErrAlreadyFinished] where
// it is over. After [ErrAmbiguous] read the job: cancelling twice does no harm.
func (c *Client) Cancel(ctx context.Context, id string) (Cancellation, error) {
	what := c.jobCall("cancel job ", http.MethodPatch, id, "")
	what.body = []byte(`{"type":"CANCEL"}`)
	if err := checkID(id); err != nil {
		return Cancellation{}, c.invalid(what, err)
	}
	var done Cancellation
	date, err := c.answer(ctx, what, func(body []byte) (err error) {
		done, err = decodeCancellation(body)
		return err
	})
	if err != nil {
		return Cancellation{}, err
	}
	done.JobID, done.Date = id, date
	return done, nil
}

func (c *Client) jobCall(verb, method, id, rest string) call {
	return call{
		op: verb + show(id, maxWordBytes), method: method,
		route: "/export/jobs/{jobId}" + rest,
		url:   c.address("/export/jobs/"+escape(id)+rest, nil),
	}
}

// checkID refuses an id that could address something else than a job: an empty
// one would address the list.
func checkID(id string) error {
	if !isID(id) {
		return fmt.Errorf("unusable job id: %w", weir.ErrRequest)
	}
	return nil
}

// answer makes a call whose answer is read whole, decodes it, and gives the
// server's clock.
func (c *Client) answer(ctx context.Context, what call, decode func([]byte) error) (time.Time, error) {
	x, err := c.open(ctx, what)
	if err != nil {
		return time.Time{}, err
	}
	defer x.close()
	body, err := x.load()
	if err != nil {
		return time.Time{}, err
	}
	if err := decode(body); err != nil {
		return time.Time{}, x.misread(err)
	}
	return x.date(), nil
}
