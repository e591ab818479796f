package emulator

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// reply is an answer before it is sent.
type reply struct {
	status int
	header map[string]string
	body   []byte
	stream func(io.Writer) error // instead of body, for results
	sized  bool                  // declare the stream's length
}

// jsonReply is an answer of one document.
func jsonReply(status int, document any) reply {
	body, err := json.Marshal(document)
	if err != nil { // the documents of this package always marshal
		return reply{status: http.StatusInternalServerError}
	}
	return reply{status: status, body: body, header: map[string]string{"Content-Type": "application/json"}}
}

// gateway is an error of the gateway in front of the API.
func (v *visit) gateway(status int, message string) reply {
	return jsonReply(status, map[string]string{"message": message, "request_id": v.draw.text("request id").hex(32)})
}

// apiError is an error of the API.
type apiError struct {
	status             int
	code, space, words string
}

func badRequest(space, words string) apiError {
	return apiError{http.StatusBadRequest, "bad_request", space, words}
}

type apiEnvelope struct {
	Code      string `json:"code"`
	Namespace string `json:"namespace"`
	ErrorID   string `json:"errorId"`
	Message   string `json:"message"`
	OrgID     int64  `json:"orgId"`
	Source    string `json:"source,omitempty"`
}

// refuse words an error as the export surface does.
func (v *visit) refuse(err apiError) reply {
	envelope := apiEnvelope{
		Code: err.code, Namespace: err.space, ErrorID: v.draw.text("error id").uuid(),
		Message: err.words, OrgID: v.e.config.OrgID,
	}
	if err.code == codeQuota {
		envelope.Source = "Export"
	}
	return jsonReply(err.status, envelope)
}

// uuid is drawn in that form.
func (d draw) uuid() string {
	h := d.hex(32)
	return fmt.Sprintf("%s-%s-%s-%s-%s", h[:8], h[8:12], h[12:16], h[16:20], h[20:])
}

// refuseAudit words an error as the audit surface does.
func (v *visit) refuseAudit(err apiError) reply {
	return jsonReply(err.status, map[string]any{"errors": []map[string]string{{
		"code": err.code, "message": err.words, "status": fmt.Sprint(err.status), "details": v.draw.text("error id").uuid(),
	}}})
}

// refuseOpportunity words an error as the opportunity surface does, with the
// published spelling or the intended one.
func (v *visit) refuseOpportunity(err apiError) reply {
	phrase := "reaspnPhrase"
	if v.e.config.Dialect == Mission || v.e.config.Dialect == Wild && v.draw.text("phrase").chance(0.5) {
		phrase = "reasonPhrase"
	}
	return jsonReply(err.status, []map[string]any{{
		"statusCode": err.status, phrase: http.StatusText(err.status), "description": "invalid query parameter", "details": err.words,
	}})
}

// scripted is the answer that a fault gives instead of the real one.
func (f Fault) scripted(v *visit) (reply, bool) {
	status := f.Status
	switch {
	case status == 0 && f.RetryAfter != "":
		status = http.StatusTooManyRequests
	case f.Bomb != "":
		return bombReply(f.Bomb, orDefault(f.BombSize, 100_000)), true
	case status == 0 && (f.HTML || f.Body != ""):
		status = http.StatusOK
	case status == 0:
		return reply{}, false
	}
	if f.HTML {
		return textReply(status, "text/html; charset=utf-8", page(status)), true
	}
	if f.Body != "" {
		return textReply(status, "application/json", f.Body), true
	}
	return f.envelope(v, status), true
}

func textReply(status int, contentType, text string) reply {
	return reply{status: status, body: []byte(text), header: map[string]string{"Content-Type": contentType}}
}

func page(status int) string {
	words := http.StatusText(status)
	return "<!DOCTYPE html>\n<html><head><title>" + words + "</title></head>\n<body><h1>" + words + "</h1><p>proxy</p></body></html>\n"
}

// envelope words a scripted status as whoever would have sent it.
func (f Fault) envelope(v *visit, status int) reply {
	message := orDefault(f.Message, http.StatusText(status))
	byAPI := f.Code != "" || status == http.StatusBadRequest || status == http.StatusForbidden || status == http.StatusInternalServerError
	if status == http.StatusTooManyRequests && f.Message == "" {
		message = "API rate limit exceeded"
	}
	if !byAPI {
		return v.gateway(status, message)
	}
	code := f.Code
	if code == "" {
		code = strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_")
	}
	return v.refuse(apiError{status, code, "exports", message})
}
