package emulator

import (
	"net/http"
	"strings"
)

// posted words the answer to a POST that started a job.
func (v *visit) posted(j *job, status int) reply {
	flat := map[string]any{"jobId": j.id}
	if v.e.config.Dialect != Wild {
		return jsonReply(status, flat)
	}
	d := v.draw.text("posted")
	if d.with(1).chance(0.5) {
		status = http.StatusOK + http.StatusAccepted - status
	}
	switch d.with(2).below(3) {
	case 0:
		return jsonReply(status, map[string]any{"job": map[string]any{"id": j.id}})
	case 1:
		flat["status"] = v.word(j)
	}
	return jsonReply(status, flat)
}

// list words a list of jobs.
func (v *visit) list(jobs []*job) reply {
	views := make([]map[string]any, 0, len(jobs))
	for _, j := range jobs {
		views = append(views, v.view(j))
	}
	if v.e.config.Dialect == Wild && v.draw.text("list").chance(0.5) {
		return jsonReply(http.StatusOK, map[string]any{"jobs": views})
	}
	return jsonReply(http.StatusOK, views)
}

// one words a single job.
func (v *visit) one(j *job) reply {
	if v.e.config.Dialect == Wild && v.draw.text("one").chance(0.5) {
		return jsonReply(http.StatusOK, map[string]any{"job": v.view(j)})
	}
	return jsonReply(http.StatusOK, v.view(j))
}

// view is a job as the list and the single call show it. What has not happened
// yet is left out; in the wild it may also be 0.
func (v *visit) view(j *job) map[string]any {
	cut := j.fate.Truncated
	view := map[string]any{
		"jobId": j.id, "userId": j.user, "orgId": v.e.config.OrgID, "title": j.title(),
		"module": strings.ToUpper(j.kind), "version": 1, "fileType": j.fileType(), "status": v.word(j),
		"viewed": j.downloads > 0, "downloads": j.downloads, "currency": j.currency,
		"rowsTruncated":  j.state == done && (cut == "rows" || cut == "both"),
		"cellsTruncated": j.state == done && (cut == "cells" || cut == "both"),
	}
	if !j.fate.NoFileName {
		view["fileName"] = j.fileName()
	}
	v.times(j, view)
	return view
}

func (v *visit) times(j *job, view map[string]any) {
	if v.e.config.Dialect == Wild && v.draw.text("times").chance(0.3) {
		view["startTime"], view["endTime"], view["expiredTime"] = 0, 0, 0
	}
	if !j.began.IsZero() {
		view["startTime"] = j.began.UnixMilli()
	}
	if !j.ended.IsZero() {
		view["endTime"] = j.ended.UnixMilli()
		view["expiredTime"] = j.expires(v.e.config.ResultTTL).UnixMilli()
	}
}

// word is a job's status as the dialect spells it.
func (v *visit) word(j *job) string {
	if j.fate.StatusWord != "" && j.state == started {
		return j.fate.StatusWord
	}
	switch v.e.config.Dialect {
	case Mission:
		return missionWord(j.state)
	case Wild:
		return v.wildWord(j)
	}
	return string(j.state)
}

func missionWord(s status) string {
	switch s {
	case scheduled:
		return "PENDING"
	case started:
		return "RUNNING"
	case done:
		return "COMPLETED"
	}
	return "FAILED"
}

// wildWord chooses a spelling and a case that clients have reported.
func (v *visit) wildWord(j *job) string {
	words := []string{string(j.state)}
	switch j.state {
	case scheduled:
		words = append(words, "PENDING", "QUEUED")
	case started:
		words = append(words, "RUNNING")
	case done:
		words = append(words, "COMPLETED")
	case cancelled:
		words = append(words, "CANCELED")
	}
	d := v.draw.text("word").text(j.id)
	word := words[d.below(len(words))]
	switch d.with(1).below(3) {
	case 0:
		return strings.ToLower(word)
	case 1:
		return word[:1] + strings.ToLower(word[1:])
	}
	return word
}
