package clari

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/weirhq/weir"
)

// maxPageSize is the API's own bound of a page of audit events.
const maxPageSize = 1000

// AuditQuery asks for audit events between two instants, each an RFC 3339
// instant or a date; empty: 30 days ago, and now. About 30 days are kept.
type AuditQuery struct {
	From, To string
	// Limit is the page size, 1 to 1000; 0: the server's default, 100.
	Limit int
}

// AuditPage is one page. Items and Actors are kept as they came, so that fields
// which nobody knows yet are not lost. Events carry no unique id.
type AuditPage struct {
	Items    []json.RawMessage
	Actors   []json.RawMessage
	NextLink string // for [Client.NextAuditEvents]; empty: this was the last page
	Date     time.Time
}

// AuditEvents reads the first page, GET /audit/events; at most 8 MiB.
func (c *Client) AuditEvents(ctx context.Context, q AuditQuery) (AuditPage, error) {
	query := url.Values{}
	for name, value := range map[string]string{"dateFrom": q.From, "dateTo": q.To} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if q.Limit != 0 {
		query.Set("limit", strconv.Itoa(q.Limit))
	}
	what := c.auditCall(c.address("/audit/events", query))
	if q.Limit < 0 || q.Limit > maxPageSize {
		return AuditPage{}, c.invalid(what, fmt.Errorf("page size %d, want 1 to %d: %w", q.Limit, maxPageSize, weir.ErrRequest))
	}
	return c.auditPage(ctx, what)
}

// NextAuditEvents reads the page that a NextLink leads to. The link must keep
// the base URL's origin; else nothing is sent and the error wraps [ErrOrigin].
func (c *Client) NextAuditEvents(ctx context.Context, nextLink string) (AuditPage, error) {
	listing := c.address("/audit/events", nil)
	target, err := resolveNextLink(listing, nextLink)
	if err != nil {
		return AuditPage{}, c.invalid(c.auditCall(listing), err)
	}
	return c.auditPage(ctx, c.auditCall(target.String()))
}

func (c *Client) auditCall(address string) call {
	return call{op: "read audit events", method: http.MethodGet, route: "/audit/events", url: address}
}

func (c *Client) auditPage(ctx context.Context, what call) (AuditPage, error) {
	var page AuditPage
	date, err := c.answer(ctx, what, func(body []byte) (err error) {
		page, err = decodeAuditPage(body)
		return err
	})
	if err != nil {
		return AuditPage{}, err
	}
	page.Date = date
	return page, nil
}

type wirePage struct {
	Items    *[]json.RawMessage `json:"items"`
	Actors   []json.RawMessage  `json:"actors"`
	NextLink text               `json:"nextLink"`
}

// decodeAuditPage reads {"items","actors","nextLink"}; items must be a list.
func decodeAuditPage(body []byte) (AuditPage, error) {
	var w wirePage
	if err := json.Unmarshal(trimBOM(body), &w); err != nil {
		return AuditPage{}, fmt.Errorf("decode audit events: %w", err)
	}
	if w.Items == nil {
		return AuditPage{}, errors.New("decode audit events: no list of items")
	}
	return AuditPage{Items: *w.Items, Actors: w.Actors, NextLink: string(w.NextLink)}, nil
}
