package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// sheet is a page as its regions: what a browser gets at first, and what the
// stream compares from moment to moment.
type sheet struct {
	// Nav names the entry of the navigation, Title the page.
	Nav, Title string
	// Account is the one that the page is about; "" for all.
	Account string
	// Say is read out when it changes; "" says nothing.
	Say     string
	Regions []region
	// every is how often it is made again while somebody looks; 0 never.
	every time.Duration
}

// region is a part of a page that changes as one, but for its rows.
type region struct {
	ID string
	// frame is the HTML with rowsMark where the rows stand.
	frame string
	rows  []row
}

// row is a part of a region that changes by itself. ID is the element's own.
type row struct{ id, html string }

// rowsMark stands in a frame for the rows. No text from outside can make it:
// templates escape it.
const rowsMark = "<!--rows-->"

// csrfMark stands in every form for the visitor's own token, so that one making
// of a page serves all who look at it.
const csrfMark = "csrf-of-the-visitor"

// HTML is the region with its rows.
func (r region) HTML() template.HTML {
	var rows strings.Builder
	for _, row := range r.rows {
		rows.WriteString(row.html)
	}
	return template.HTML(strings.Replace(r.frame, rowsMark, rows.String(), 1))
}

// version changes when anything of the sheet does.
func (s sheet) version() string {
	sum := sha256.New()
	for _, r := range s.Regions {
		fmt.Fprintf(sum, "%s\x00%s\x00", r.ID, r.frame)
		for _, row := range r.rows {
			fmt.Fprintf(sum, "%s\x00%s\x00", row.id, row.html)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// query is what a page is asked for.
type query struct {
	path     func(string) string
	values   url.Values
	accounts []string
	// account is the one asked for, else the first; "" when there is none.
	account string
}

func (q query) get(name string) string { return q.values.Get(name) }

// maker makes a page as things stand.
type maker func(ctx context.Context, q query) (sheet, error)

// asked reads what a request asks for.
func (s *Server) asked(r *http.Request) (query, error) {
	q := query{path: r.PathValue, values: r.URL.Query()}
	accounts, err := s.reader.ledger.ListAccounts(r.Context())
	if err != nil {
		return q, err
	}
	for _, a := range accounts {
		q.accounts = append(q.accounts, a.Name)
		if a.Name == q.get("account") {
			q.account = a.Name
		}
	}
	if q.account == "" && len(q.accounts) > 0 {
		q.account = q.accounts[0]
	}
	return q, nil
}

// region makes one from a template; rows stand where it puts .Rows.
func (s *Server) region(id, name string, data any, rows ...row) (region, error) {
	var out bytes.Buffer
	err := s.templates.ExecuteTemplate(&out, name, framed{ID: id, Rows: template.HTML(rowsMark), CSRF: csrfMark, ReadOnly: s.config.Door.ReadOnly(), Data: data})
	if err != nil {
		return region{}, fmt.Errorf("make region %s: %w", id, err)
	}
	return region{ID: id, frame: out.String(), rows: rows}, nil
}

// framed is what a region's template gets.
type framed struct {
	ID       string
	Rows     template.HTML
	CSRF     string
	ReadOnly bool
	Data     any
}

// row makes one from a template.
func (s *Server) row(id, name string, data any) (row, error) {
	var out bytes.Buffer
	err := s.templates.ExecuteTemplate(&out, name, framed{ID: id, CSRF: csrfMark, ReadOnly: s.config.Door.ReadOnly(), Data: data})
	if err != nil {
		return row{}, fmt.Errorf("make row %s: %w", id, err)
	}
	return row{id, out.String()}, nil
}

// only makes a sheet of one region.
func (s *Server) only(sh sheet, id, name string, data any, rows ...row) (sheet, error) {
	r, err := s.region(id, name, data, rows...)
	sh.Regions = append(sh.Regions, r)
	return sh, err
}
