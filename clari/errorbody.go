package clari

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// maxErrorBody bounds how much of an error's body is read.
const maxErrorBody = 64 << 10

// refusal is what an error body says, as the server sent it.
type refusal struct {
	code, message, errorID, requestID, orgID string
}

type wireError struct {
	Code         text            `json:"code"`
	Message      text            `json:"message"`
	ErrorID      text            `json:"errorId"`
	RequestID    text            `json:"request_id"`
	OrgID        text            `json:"orgId"`
	ReasonPhrase text            `json:"reasonPhrase"`
	ReaspnPhrase text            `json:"reaspnPhrase"` // the server's own spelling
	Description  text            `json:"description"`
	Details      text            `json:"details"`
	Error        json.RawMessage `json:"error"`
	Errors       json.RawMessage `json:"errors"`
}

// parseErrorBody reads every envelope that is known: the API's, the gateway's,
// {"errors":[..]}, {"error":..}, an array of error objects; else plain text or
// an HTML page's title. It never fails: what it cannot read becomes message.
func parseErrorBody(body []byte) refusal {
	body = bytes.TrimSpace(trimBOM(body))
	if r, ok := parseEnvelope(body, 3); ok {
		return r
	}
	if bytes.HasPrefix(body, []byte("<")) {
		return refusal{message: pageTitle(body)}
	}
	return refusal{message: string(body)}
}

// parseEnvelope looks at most depth levels into arrays and wrappers.
func parseEnvelope(body []byte, depth int) (refusal, bool) {
	if len(body) == 0 || depth == 0 {
		return refusal{}, false
	}
	switch body[0] {
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(body, &list) != nil || len(list) == 0 {
			return refusal{}, false
		}
		return parseEnvelope(list[0], depth-1)
	case '"':
		var message string
		err := json.Unmarshal(body, &message)
		return refusal{message: message}, err == nil
	case '{':
		return parseErrorObject(body, depth)
	}
	return refusal{}, false
}

func parseErrorObject(body []byte, depth int) (refusal, bool) {
	var w wireError
	if json.Unmarshal(body, &w) != nil {
		return refusal{}, false
	}
	r := refusal{
		code:      first(w.Code, w.ReasonPhrase, w.ReaspnPhrase),
		message:   w.message(),
		errorID:   string(w.ErrorID),
		requestID: string(w.RequestID),
		orgID:     string(w.OrgID),
	}
	for _, inner := range []json.RawMessage{w.Errors, w.Error} {
		if more, ok := parseEnvelope(inner, depth-1); ok {
			r = r.or(more)
		}
	}
	return r, r != refusal{}
}

func (w wireError) message() string {
	parts := []string{}
	for _, part := range []text{w.Message, w.Description, w.Details} {
		if part != "" {
			parts = append(parts, string(part))
		}
	}
	return strings.Join(parts, ": ")
}

// or fills what r does not say from a nested object.
func (r refusal) or(inner refusal) refusal {
	fill := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	fill(&r.code, inner.code)
	fill(&r.message, inner.message)
	fill(&r.errorID, inner.errorID)
	fill(&r.requestID, inner.requestID)
	fill(&r.orgID, inner.orgID)
	return r
}

var titleForm = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)

func pageTitle(page []byte) string {
	if found := titleForm.FindSubmatch(page); found != nil {
		return "a web page: " + strings.Join(strings.Fields(string(found[1])), " ")
	}
	return "a web page"
}
