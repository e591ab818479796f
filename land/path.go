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
	partition string // "forecast_id=../time_period=../snapshot=.." or "since=../until=../snapshot=.."
	extension string // of the raw file: ".json.zst" or ".csv.zst"
}

func pathsOf(r weir.Request, snapshot string) layoutPaths {
	return layoutPaths{
		kind:      string(r.Kind),
		partition: strings.Join(partitionOf(r), "/") + "/snapshot=" + snapshot,
		extension: extensionOf(r),
	}
}

// partitionOf are the folders of a request's snapshots below a table's.
func partitionOf(r weir.Request) []string {
	if r.Kind == weir.Forecast {
		return []string{"forecast_id=" + segment(r.ForecastID), "time_period=" + segment(string(r.Period))}
	}
	return []string{"since=" + segment(edgeName(r.Since)), "until=" + segment(edgeName(r.Until))}
}

// PeriodOf is the period that stands in a manifest's path: what came, also where
// none was asked for. False is for the path of no forecast.
func PeriodOf(manifest string) (weir.Period, bool) {
	for _, folder := range strings.Split(manifest, "/") {
		if text, found := strings.CutPrefix(folder, "time_period="); found {
			period, err := weir.ParsePeriod(text)
			return period, err == nil
		}
	}
	return "", false
}

// edgeName is a bound of a span as it stands in a path: a day as it is, an
// instant in UTC, as 20261123T150405Z or with milliseconds 20261123T150405999Z;
// one that was left to the server is "any".
func edgeName(text string) string {
	if text == "" {
		return "any"
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	at = at.UTC()
	name := at.Format("20060102T150405")
	if ms := at.Nanosecond() / int(time.Millisecond); ms > 0 {
		name += fmt.Sprintf("%03d", ms)
	}
	return name + "Z"
}

// shelf is the folder that holds the manifests of a request's snapshots. The
// current week of a quarter that was not named may stand in any of them.
func shelf(r weir.Request, place string) string {
	folders := partitionOf(r)
	if r.Direct && r.Period == "" && r.Kind == weir.Forecast {
		folders = folders[:1]
	}
	return place + manifestsDir + "/" + string(r.Kind) + "/" + strings.Join(folders, "/")
}

// place is "" for the plain place or "<format>/".
func (p layoutPaths) manifest(place string) string {
	return place + manifestsDir + "/" + p.kind + "/" + p.partition + ".json"
}

func (p layoutPaths) raw() string { return rawDir + "/" + p.kind + "/" + p.partition + p.extension }

func (p layoutPaths) part(place, table string, format Format) string {
	return place + table + "/" + p.partition + "/part-0." + string(format)
}

const (
	manifestsDir = "_manifests"
	rawDir       = "_raw"
	viewsPath    = "_views/latest.sql"
)
