package land

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/weirhq/weir"
)

// manifestVersion is the version of the manifest's form.
const manifestVersion = 1

// Manifest says what a snapshot is. It is written last: a snapshot exists
// exactly when its manifest does. Paths are relative to the destination.
type Manifest struct {
	Version int    `json:"version"`
	Weir    string `json:"weir"`
	// Path is where this manifest stands.
	Path string `json:"path"`
	// Request is what was asked. Where no period was, it has the one that came;
	// Fingerprint is always that of what was asked.
	Request     weir.Request `json:"request"`
	Fingerprint string       `json:"fingerprint"`
	// Likeness is the column _weir_request.
	Likeness   string    `json:"likeness"`
	Job        JobFacts  `json:"job"`
	Snapshot   string    `json:"snapshot"`
	SnapshotAt time.Time `json:"snapshot_at"`
	Format     Format    `json:"format"`
	CSVSafe    bool      `json:"csv_safe,omitempty"`
	// Result is what the server sent.
	Result Result          `json:"result"`
	Raw    File            `json:"raw"`
	Tables []ManifestTable `json:"tables"`
	Checks []Check         `json:"checks"`
	// Unknown counts, by array, the members that no column takes; the top level
	// is under "". They are in _extra, those of the top level in the raw file.
	Unknown map[string]map[string]int64 `json:"unknown_fields,omitempty"`
	// Misfits counts, by array, values of a wrong type: null in their column
	// and kept in _extra.
	Misfits map[string]map[string]int64 `json:"misfits,omitempty"`
	// Inexact counts numbers that no double names exactly.
	Inexact  int64    `json:"inexact_numbers"`
	Dangling Dangling `json:"dangling"`
	Totals   []Total  `json:"totals"`
	// TotalsCut says that totals are of the first fields only.
	TotalsCut bool `json:"totals_cut,omitempty"`
}

// JobFacts is what the server said of the job.
type JobFacts struct {
	ID        string    `json:"id,omitempty"`
	Status    string    `json:"status,omitempty"`
	OrgID     string    `json:"org_id,omitempty"`
	Title     string    `json:"title,omitempty"`
	FileName  string    `json:"file_name,omitempty"`
	FileType  string    `json:"file_type,omitempty"`
	Currency  string    `json:"currency,omitempty"`
	StartedAt time.Time `json:"started_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// Result is what the server sent, before anything was made of it.
type Result struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// File is one file as written.
type File struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	Rows   int64  `json:"rows,omitempty"`
}

// ManifestTable is one table with its files.
type ManifestTable struct {
	Name  string `json:"name"`
	Rows  int64  `json:"rows"`
	Files []File `json:"files"`
}

// Rows is how many rows the first table has: the entries of a forecast.
func (m Manifest) Rows() int64 {
	if len(m.Tables) == 0 {
		return 0
	}
	return m.Tables[0].Rows
}

func (m Manifest) encode() ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(m); err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	return out.Bytes(), nil
}

// maxManifest bounds a manifest that is read: 64 MiB.
const maxManifest = 64 << 20

// ReadManifest reads a manifest.
func ReadManifest(r io.Reader) (Manifest, error) {
	var m Manifest
	if err := json.NewDecoder(io.LimitReader(r, maxManifest)).Decode(&m); err != nil {
		return Manifest{}, fmt.Errorf("read manifest: %w", err)
	}
	if m.Version != manifestVersion {
		return Manifest{}, fmt.Errorf("read manifest: version %d is not known", m.Version)
	}
	return m, nil
}

func factsOf(j weir.Job) JobFacts {
	return JobFacts{
		ID: j.ID, Status: j.RawStatus, OrgID: j.OrgID, Title: j.Title, FileName: j.FileName, FileType: j.FileType,
		Currency: j.Currency, StartedAt: j.StartedAt.UTC(), EndedAt: j.EndedAt.UTC(), ExpiresAt: j.ExpiresAt.UTC(),
	}
}
