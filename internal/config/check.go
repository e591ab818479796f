package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/weirhq/weir"
)

// refuseInline refuses a secret that stands in the file, and does not repeat
// it.
func refuseInline(r *reader, n ast.Node, path string) string {
	if plain(n) == nil {
		return ""
	}
	r.fault(spotOf(n), path, "a secret must not stand in this file",
		"say where it comes from: {env: NAME}, {file: PATH} or {command: [PROGRAM, ARGUMENT]}; and change the secret if this file was shared")
	return ""
}

// check judges what one value means for another, and fills in defaults that
// depend on other values.
func (r *reader) check(c *Config) {
	r.passwordOf("state", c.State.URL, c.State.Password)
	for _, name := range slices.Sorted(maps.Keys(c.Accounts)) {
		r.account("accounts."+name, c.Accounts[name])
	}
	for _, name := range slices.Sorted(maps.Keys(c.Destinations)) {
		c.Destinations[name] = r.destination("destinations."+name, c.Destinations[name])
	}
	r.exports(c)
	exports := exportNames(c)
	for _, name := range slices.Sorted(maps.Keys(c.Schedules)) {
		c.Schedules[name] = r.schedule("schedules."+name, c.Schedules[name], exports, c)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Notifications)) {
		r.mail("notifications."+name+".smtp", c.Notifications[name].SMTP)
	}
	if p := c.Policy; p.PollMax > 0 && p.PollMax < p.PollMin {
		r.refuse("policy.poll_max", "is less than poll_min", "")
	}
	if k := c.Retention.Snapshots; k == (Keep{}) && r.sound("retention.snapshots") {
		r.refuse("retention.snapshots", "want keep_last, keep_for or both", "or write snapshots: forever")
	}
}

// has reports whether the document holds the path.
func (r *reader) has(path string) bool {
	_, ok := r.spots[path]
	return ok
}

// only refuses a key that means nothing where it stands.
func (r *reader) only(path, with string) {
	if r.has(path) {
		r.refuse(path, "means nothing here: it goes with "+with, "")
	}
}

func (r *reader) passwordOf(path, url string, password Source) {
	if !password.IsZero() && !isPostgres(url) && r.sound(path) {
		r.only(path+".password", "a postgres:// URL")
	}
}

func (r *reader) account(path string, a Account) {
	if a.Quota > 0 && a.KeepQuota > a.Quota {
		r.refuse(path+".keep_quota", fmt.Sprintf("keeps more than the quota of %d", a.Quota), "")
	}
	if a.BaseURL == "" || !r.sound(path+".base_url") {
		return
	}
	if message, hint := judgeBase(a.BaseURL, a.InsecureBaseURL); message != "" {
		r.refuse(path+".base_url", message, hint)
	}
}

func (r *reader) destination(path string, d Destination) Destination {
	r.passwordOf(path, d.To, d.Password)
	switch {
	case isPostgres(d.To):
		r.only(path+".formats", "a directory or a bucket")
		r.only(path+".csv_safe", "a directory or a bucket")
	case len(d.Formats) == 0:
		d.Formats = []string{"parquet"}
	}
	return d
}

func (r *reader) exports(c *Config) {
	names := map[string]int{}
	accounts, destinations := slices.Sorted(maps.Keys(c.Accounts)), slices.Sorted(maps.Keys(c.Destinations))
	for i := range c.Exports {
		e, path := &c.Exports[i], fmt.Sprintf("exports[%d]", i)
		if first, twice := names[e.Name]; twice && e.Name != "" {
			r.refuse(path+".name", fmt.Sprintf("%q is the name of exports[%d] too", e.Name, first), "")
		} else {
			names[e.Name] = i
		}
		r.accountOf(path, e, accounts)
		r.destinationsOf(path, e, destinations)
		r.kindOf(path, *e)
		if r.sound(path) {
			r.request(path, *e)
		}
	}
}

// accountOf finds an export's account, which is the only one by default.
func (r *reader) accountOf(path string, e *Export, known []string) {
	_, found := slices.BinarySearch(known, e.Account)
	switch {
	case e.Account == "" && r.has(path+".account"):
	case e.Account == "" && len(known) == 1:
		e.Account = known[0]
	case e.Account == "":
		r.refuse(path, "account is missing", choice("accounts", known))
	case !found && r.sound(path+".account"):
		r.refuse(path+".account", fmt.Sprintf("no account is called %q", e.Account), choice("accounts", known)+meant(e.Account, known))
	}
}

// destinationsOf finds an export's destinations, the only one by default.
func (r *reader) destinationsOf(path string, e *Export, known []string) {
	if !r.has(path + ".destinations") {
		if len(known) == 1 {
			e.Destinations = known
			return
		}
		r.refuse(path, "destinations is missing", choice("destinations", known))
	}
	r.known(path+".destinations", "destination", e.Destinations, known)
}

// known refuses names that are not among the known ones, which are sorted.
func (r *reader) known(path, what string, names, known []string) {
	for i, name := range names {
		at := fmt.Sprintf("%s[%d]", path, i)
		if _, found := slices.BinarySearch(known, name); !found && r.sound(at) {
			r.refuse(at, fmt.Sprintf("no %s is called %q", what, name), choice(what+"s", known)+meant(name, known))
		}
	}
}

// choice names what there is to choose from, a handful at most.
func choice(what string, known []string) string {
	switch {
	case len(known) == 0:
		return "define one under " + what
	case len(known) > 8:
		return fmt.Sprintf("known: %s and %d more", strings.Join(known[:8], ", "), len(known)-8)
	}
	return "known: " + strings.Join(known, ", ")
}

// kindOf holds an export to the keys of its kind.
func (r *reader) kindOf(path string, e Export) {
	if e.Kind == weir.Forecast {
		for _, name := range []string{"forecasts", "periods"} {
			if !r.has(path + "." + name) {
				r.refuse(path, name+" is missing", "")
			}
		}
		r.only(path+".span", "kind activity or audit")
		return
	}
	if !r.has(path + ".span") {
		r.refuse(path, "span is missing", `for example span: last 7 days`)
	}
	for _, name := range []string{"forecasts", "periods", "currency", "scope", "historical", "export_format"} {
		r.only(path+"."+name, "kind forecast")
	}
	if e.Kind == weir.Audit {
		r.only(path+".types", "kind forecast or activity")
	} else if e.Span == SinceLast {
		r.refuse(path+".span", "since last is for audit events", "give activities a span such as last 7 days")
	}
}

// request asks the root package, which knows what the server can answer.
func (r *reader) request(path string, e Export) {
	types := weir.ForecastTypes()
	if e.Kind == weir.Activity {
		types = activityTypes()
	}
	for i, name := range e.Types {
		if !slices.Contains(types, name) {
			r.refuse(fmt.Sprintf("%s.types[%d]", path, i), fmt.Sprintf("no type of kind %s: %q", e.Kind, name), "known: "+strings.Join(types, ", "))
		}
	}
	// any instant will do: rules differ in which quarter, not in validity
	requests := e.Requests(time.January, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	for _, request := range requests[:min(1, len(requests))] {
		if err := request.Validate(); err != nil && r.sound(path) {
			r.refuse(path, err.Error(), "")
		}
	}
}

func exportNames(c *Config) []string {
	var names []string
	for _, e := range c.Exports {
		names = append(names, e.Name)
	}
	slices.Sort(names)
	return names
}

func (r *reader) schedule(path string, s Schedule, exports []string, c *Config) Schedule {
	r.known(path+".exports", "export", s.Exports, exports)
	for key, trigger := range map[string]string{"time_zone": "cron", "week_ends": "after", "days_after": "at"} {
		if !r.has(path + "." + trigger) {
			r.only(path+"."+key, trigger)
		}
	}
	if s.At == QuarterClose && !r.has(path+".days_after") {
		s.DaysAfter = []int{1}
	}
	s.FiscalYearStarts = r.fiscalYear(path, s, c)
	return s
}

// fiscalYear is the one of all accounts whose exports a schedule runs; they
// need only agree where quarters close.
func (r *reader) fiscalYear(path string, s Schedule, c *Config) time.Month {
	found := time.Month(0)
	runs := slices.Sorted(slices.Values(s.Exports))
	for _, e := range c.Exports {
		a, known := c.Accounts[e.Account]
		if _, run := slices.BinarySearch(runs, e.Name); !known || !run {
			continue
		}
		if found != 0 && s.At == QuarterClose && (found-a.FiscalYearStarts)%3 != 0 {
			r.refuse(path+".at", "the quarters of these exports' accounts close on different days", "make a schedule for each fiscal year")
			return found
		}
		if found == 0 {
			found = a.FiscalYearStarts
		}
	}
	return max(found, time.January)
}

func (r *reader) mail(path string, m *SMTP) {
	switch {
	case m == nil:
	case m.Username == "" && !m.Password.IsZero():
		r.only(path+".password", "username")
	case m.Username != "" && !r.has(path+".password"):
		r.refuse(path+".username", "has no password beside it", "")
	case !m.Password.IsZero() && m.Security == "none" && !isLoopback(m.Host):
		r.refuse(path+".security", "none would send the password in the clear", "use starttls or tls")
	}
}
