package clari

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/weirhq/weir"
)

const (
	// maxAnswer bounds every answer that is read whole.
	maxAnswer = 8 << 20
	// maxList bounds a list of jobs, about 600,000 of them.
	maxList = 256 << 20
	// maxEntry bounds one entry of a list, and the white space around it.
	maxEntry = 1 << 20
)

type wireJob struct {
	JobID          text    `json:"jobId"`
	ID             text    `json:"id"`
	UserID         text    `json:"userId"`
	OrgID          text    `json:"orgId"`
	Title          text    `json:"title"`
	StartTime      instant `json:"startTime"`
	EndTime        instant `json:"endTime"`
	ExpiredTime    instant `json:"expiredTime"`
	FileName       text    `json:"fileName"`
	FileType       text    `json:"fileType"`
	Status         text    `json:"status"`
	CellsTruncated flag    `json:"cellsTruncated"`
	RowsTruncated  flag    `json:"rowsTruncated"`
	Currency       text    `json:"currency"`

	Job json.RawMessage `json:"job"` // the same once more, inside a wrapper
}

// parseWireJob reads a job, bare or as {"job":{..}}.
func parseWireJob(raw []byte) (wireJob, error) {
	if !isObject(raw) {
		return wireJob{}, errors.New("not an object")
	}
	var outer wireJob
	if err := json.Unmarshal(raw, &outer); err != nil {
		return wireJob{}, err
	}
	if outer.JobID != "" || !isObject(outer.Job) {
		return outer, nil
	}
	var inner wireJob
	if err := json.Unmarshal(outer.Job, &inner); err != nil {
		return wireJob{}, err
	}
	if inner.ID == "" && inner.JobID == "" {
		inner.ID = outer.ID
	}
	if inner.Status == "" {
		inner.Status = outer.Status
	}
	return inner, nil
}

func (w wireJob) id() string { return first(w.JobID, w.ID) }

func (w wireJob) job() weir.Job {
	return weir.Job{
		ID:             w.id(),
		Status:         weir.ParseJobStatus(string(w.Status)),
		RawStatus:      string(w.Status),
		UserID:         string(w.UserID),
		OrgID:          string(w.OrgID),
		Title:          string(w.Title),
		FileName:       string(w.FileName),
		FileType:       string(w.FileType),
		Currency:       string(w.Currency),
		StartedAt:      w.StartTime.Time,
		EndedAt:        w.EndTime.Time,
		ExpiresAt:      w.ExpiredTime.Time,
		RowsTruncated:  w.RowsTruncated.on,
		CellsTruncated: w.CellsTruncated.on,
	}
}

// decodeJob reads the answer about one job. An answer about another job is no
// answer. One without an id counts where its status is a known word.
func decodeJob(body []byte, asked string) (weir.Job, error) {
	w, err := parseWireJob(trimBOM(body))
	if err != nil {
		return weir.Job{}, fmt.Errorf("decode job: %w", err)
	}
	job := w.job()
	switch {
	case job.ID == asked:
	case job.ID != "":
		return weir.Job{}, errors.New("decode job: the answer is about another job")
	case job.Status == weir.JobUnrecognised:
		return weir.Job{}, errors.New("decode job: neither an id nor a known status")
	}
	job.ID = asked
	return job, nil
}

// decodeStarted reads {"jobId"}, {"id"}, {"job":{"id"}} or {"job":{"jobId"}}.
func decodeStarted(body []byte) (Started, error) {
	w, err := parseWireJob(trimBOM(body))
	if err != nil {
		return Started{}, fmt.Errorf("decode new job: %w", err)
	}
	if !isID(w.id()) {
		return Started{}, errors.New("decode new job: no usable job id in the answer")
	}
	return Started{JobID: w.id(), RawStatus: string(w.Status)}, nil
}

type wireCancellation struct {
	wireJob
	Successful flag `json:"successful"`
}

// decodeCancellation reads {"status","successful"}; one of them must be there.
func decodeCancellation(body []byte) (Cancellation, error) {
	body = trimBOM(body)
	w, err := parseWireJob(body)
	if err != nil {
		return Cancellation{}, fmt.Errorf("decode cancellation: %w", err)
	}
	var said wireCancellation
	if err := json.Unmarshal(body, &said); err != nil {
		return Cancellation{}, fmt.Errorf("decode cancellation: %w", err)
	}
	if w.Status == "" && !said.Successful.said {
		return Cancellation{}, errors.New("decode cancellation: neither status nor success in the answer")
	}
	c := Cancellation{RawStatus: string(w.Status), Status: weir.ParseJobStatus(string(w.Status)), Successful: said.Successful.on}
	if !said.Successful.said {
		c.Successful = c.Status == weir.JobCancelled || c.Status == weir.JobAborted
	}
	return c, nil
}

// meter counts what is read, and stops at the bound of a whole list and at that
// of one entry, so that neither can fill the memory.
type meter struct {
	src        io.Reader
	total, run int64
}

func (m *meter) Read(p []byte) (int, error) {
	if m.total > maxList || m.run > maxEntry {
		return 0, ErrTooLarge
	}
	n, err := m.src.Read(p)
	m.total += int64(n)
	m.run += int64(n)
	return n, err
}

// decodeJobs reads [..] or {"jobs":[..]} entry by entry. It fails on an entry
// that is no object or has no usable id, on text after the end, on a second
// "jobs", and where there is no list at all: a list that is not read to its end
// is evidence of nothing.
func decodeJobs(src io.Reader) ([]weir.Job, int64, error) {
	m := &meter{src: src}
	jobs, err := decodeJobList(m)
	if err != nil {
		return nil, m.total, fmt.Errorf("decode list of jobs: %w", err)
	}
	return jobs, m.total, nil
}

func decodeJobList(m *meter) ([]weir.Job, error) {
	buffered := bufio.NewReaderSize(m, 64<<10)
	if bom, err := buffered.Peek(3); err == nil && len(trimBOM(bom)) == 0 {
		_, _ = buffered.Discard(3)
	}
	dec := json.NewDecoder(buffered)
	jobs, err := listFrom(dec, m)
	if err != nil {
		return nil, err
	}
	m.run = 0
	switch _, err := dec.Token(); {
	case err == nil:
		return nil, errors.New("something follows the list")
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	return jobs, nil
}

func listFrom(dec *json.Decoder, m *meter) ([]weir.Job, error) {
	open, err := dec.Token()
	switch {
	case err != nil:
		return nil, noEOF(err)
	case open == json.Delim('['):
		return entries(dec, m)
	case open == json.Delim('{'):
		return listField(dec, m)
	}
	return nil, errors.New("neither an array nor an object")
}

func listField(dec *json.Decoder, m *meter) (jobs []weir.Job, err error) {
	found := false
	for dec.More() {
		m.run = 0
		name, err := dec.Token()
		if err != nil {
			return nil, noEOF(err)
		}
		if name != "jobs" {
			if err := dec.Decode(new(json.RawMessage)); err != nil {
				return nil, noEOF(err)
			}
			continue
		}
		open, err := dec.Token()
		if err != nil || open != json.Delim('[') || found {
			return nil, errors.Join(noEOF(err), errors.New(`"jobs" is not one array`))
		}
		found = true
		if jobs, err = entries(dec, m); err != nil {
			return nil, err
		}
	}
	if !found {
		return nil, errors.Join(closeOf(dec), errors.New("no list in the answer"))
	}
	return jobs, closeOf(dec)
}

func entries(dec *json.Decoder, m *meter) ([]weir.Job, error) {
	jobs := []weir.Job{}
	var raw json.RawMessage
	for dec.More() {
		m.run = 0
		if err := dec.Decode(&raw); err != nil {
			return nil, noEOF(err)
		}
		w, err := parseWireJob(raw)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", len(jobs), err)
		}
		if !isID(w.id()) {
			return nil, fmt.Errorf("entry %d: no usable id", len(jobs))
		}
		jobs = append(jobs, w.job())
	}
	return jobs, closeOf(dec)
}

// closeOf reads the closing bracket.
func closeOf(dec *json.Decoder) error {
	_, err := dec.Token()
	return noEOF(err)
}

// noEOF: an end inside a value is never a clean one.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
