package land

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/weirhq/weir"
)

// maxSegment is how many bytes of an escaped id stand in a path.
const maxSegment = 180

// segment makes an id from outside safe as part of one path element: bytes
// outside [A-Za-z0-9_-] become %XX, and what is longer than 180 bytes is cut
// there and told apart by a hash. The result has no separator and no dot, so it
// names nothing but itself.
func segment(id string) string {
	var escaped strings.Builder
	for _, c := range []byte(id) {
		piece := string(rune(c))
		if !plainByte(c) {
			piece = fmt.Sprintf("%%%02X", c)
		}
		if escaped.Len()+len(piece) > maxSegment {
			sum := sha256.Sum256([]byte(id))
			return escaped.String() + "-" + hex.EncodeToString(sum[:8])
		}
		escaped.WriteString(piece)
	}
	return escaped.String()
}

func plainByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// snapshotName is the name of a snapshot within its forecast and period:
// "20261123T150405Z-<jobId>".
func snapshotName(at time.Time, job string) string {
	return at.UTC().Format("20060102T150405Z") + "-" + segment(job)
}

// layoutPaths are the places of one snapshot under a destination.
type layoutPaths struct {
	kind      string
	partition string // "forecast_id=.../time_period=.../snapshot=..."
	extension string // of the raw file: ".json.zst" or ".csv.zst"
}

func pathsOf(r weir.Request, snapshot string) layoutPaths {
	return layoutPaths{
		kind:      string(r.Kind),
		partition: "forecast_id=" + segment(r.ForecastID) + "/time_period=" + segment(string(r.Period)) + "/snapshot=" + snapshot,
		extension: extensionOf(r),
	}
}

// place is "" for the plain place or "<format>/".
func (p layoutPaths) manifest(place string) string {
	return place + manifestsDir + "/" + p.kind + "/" + p.partition + ".json"
}

func (p layoutPaths) raw() string { return "_raw/" + p.kind + "/" + p.partition + p.extension }

func (p layoutPaths) part(place, table string, format Format) string {
	return place + table + "/" + p.partition + "/part-0." + string(format)
}

const (
	manifestsDir = "_manifests"
	viewsPath    = "_views/latest.sql"
)
