package app

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/weirhq/weir/internal/config"
)

// whenDue says in words when each schedule of a configuration is due.
func whenDue(c config.Config) map[string]string {
	words := map[string]string{}
	for name, s := range c.Schedules {
		words[name] = dueWords(s)
	}
	return words
}

func dueWords(s config.Schedule) string {
	switch {
	case s.Cron != "":
		return s.Cron + ", " + cmp.Or(s.TimeZone, time.UTC.String())
	case s.After != "":
		return "08:00 UTC on " + ((s.WeekEnds + 1) % 7).String() + "s, the day after the week ends"
	}
	days := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(s.DaysAfter)), ", "), "[]")
	return "08:00 UTC, " + days + " days after the quarter closes"
}
