package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// plainScript is what somebody writes in an afternoon from the simplest
// description of the API: start, poll until COMPLETED, download. It knows four
// statuses and one shape, and stops at anything else.
func plainScript(args []string, out io.Writer) int {
	if err := plainExport(args[0], args[1], out); err != nil {
		fmt.Fprintln(os.Stderr, "plainscript:", err)
		return 1
	}
	return 0
}

func plainExport(forecast, period string, out io.Writer) error {
	var started struct {
		JobID string `json:"jobId"`
	}
	body := fmt.Sprintf(`{"timePeriod":%q,"exportFormat":"JSON"}`, period)
	if err := plainCall("POST", "/export/forecast/"+forecast, body, &started); err != nil {
		return err
	}
	for {
		var job struct {
			JobID  string `json:"jobId"`
			Status string `json:"status"`
		}
		if err := plainCall("GET", "/export/jobs/"+started.JobID, "", &job); err != nil {
			return err
		}
		fmt.Fprintln(out, job.Status)
		switch job.Status {
		case "PENDING", "RUNNING":
			time.Sleep(200 * time.Millisecond)
		case "COMPLETED":
			var result struct {
				Entries []any `json:"entries"`
			}
			err := plainCall("GET", "/export/jobs/"+job.JobID+"/results", "", &result)
			fmt.Fprintln(out, len(result.Entries) > 0)
			return err
		case "FAILED":
			return fmt.Errorf("job %s failed", job.JobID)
		default:
			return fmt.Errorf("what is %q?", job.Status)
		}
	}
}

func plainCall(method, path, body string, into any) error {
	request, err := http.NewRequest(method, os.Getenv("CLARI_BASE_URL")+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("apikey", os.Getenv("CLARI_API_KEY"))
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusAccepted {
		return fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}
