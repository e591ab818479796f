package view

import (
	"time"

	"github.com/weirhq/weir"
)

// Event is one transition of an export.
type Event struct {
	At   time.Time  `json:"at"`
	From weir.State `json:"from"`
	To   weir.State `json:"to"`
	Why  string     `json:"why"`
	// Request is what was asked of the server and its status, "" when no request
	// told.
	Request string `json:"request,omitempty"`
	JobID   string `json:"job_id,omitempty"`
	// Stayed is how long the export had been in From, in seconds.
	Stayed float64 `json:"stayed_seconds"`
}

// HistoryOf is everything that happened to an export, oldest first.
func HistoryOf(e weir.Export, events []weir.Event) []Event {
	all, before := []Event{}, e.CreatedAt
	for _, event := range events {
		all = append(all, Event{
			At: event.At, From: event.From, To: event.To, Why: event.Why, Request: event.Request, JobID: event.JobID,
			Stayed: max(0, event.At.Sub(before).Seconds()),
		})
		before = event.At
	}
	return all
}

// Detail is one export with its history.
type Detail struct {
	Export  Export  `json:"export"`
	History []Event `json:"history"`
	// Suspects are the jobs that may serve an export of unknown fate.
	Suspects []Job `json:"suspects"`
}

// DetailOf is one export with all that is kept of it.
func DetailOf(f Facts, events []weir.Event, suspects []weir.Job) Detail {
	d := Detail{Export: ExportOf(f), History: HistoryOf(f.Export, events), Suspects: []Job{}}
	for _, j := range suspects {
		d.Suspects = append(d.Suspects, Job{ID: j.ID, Status: j.Status, RawStatus: j.RawStatus, FileName: j.FileName, StartedAt: j.StartedAt, EndedAt: j.EndedAt, ExpiresAt: j.ExpiresAt})
	}
	return d
}
