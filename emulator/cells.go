package emulator

import (
	"math"
	"time"
)

// cells draws the entries of one week.
type cells struct {
	c        Contents
	period   string
	week     week
	frame    string
	draw     draw
	late     draw // of values that may still change
	open     bool // the week's values may still change
	currency currencySpec
	crm      bool // the tab says crmTotal, else aggregationTotal
	want     struct{ forecast, quota, updated, adjustment, total, closed bool }
}

func (c Contents) cellsOf(q quarter, w week) cells {
	period := q.String()
	d := c.tab.text(period).with(int64(w.index))
	cell := cells{
		c: c, period: period, week: w, frame: w.id(), draw: d,
		late: d.with(c.query.AsOf.Truncate(time.Hour).Unix()), open: c.query.AsOf.Before(w.closed()),
		currency: currencies()[c.query.Currency], crm: c.tab.text("crm").chance(0.5),
	}
	cell.want.forecast, cell.want.quota = c.has("forecast"), c.has("quota")
	cell.want.updated, cell.want.adjustment = c.has("forecast_updated"), c.has("adjustment")
	cell.want.total, cell.want.closed = c.has("crm_total"), c.has("crm_closed")
	return cell
}

// Shares of what is odd but legal.
const (
	missing     = 0.03    // cells that do not exist
	nullShare   = 0.04    // values that are null
	absentShare = 0.02    // values that are absent though asked for
	dangling    = 0.004   // ids without a match
	unknown     = 0.02    // entries with a field that nobody knows
	beyond      = 0.0004  // literals beyond double precision
	changing    = 0.1     // cells of an open week that change by the hour
	negative    = 0.03    // amounts below zero
	large       = 0.01    // amounts a million times as large
	typical     = 5000000 // cents
)

// entry draws one cell; false where the file holds none.
func (x *cells) entry(person, number int, f fieldSpec) (Entry, bool) {
	d := x.draw.with(int64(person)<<16 | int64(number))
	if !x.tells(f.kind) || d.with(1).float() < missing {
		return Entry{}, false
	}
	e := Entry{FieldID: f.ID, TimeFrameID: x.frame, TimePeriodID: x.period, UserID: userID(person)}
	e.CurrencyCode, e.CurrencySymbol = x.c.query.Currency, x.currency.symbol
	values := d
	if x.open && d.with(2).float() < changing {
		values = x.late.with(int64(d))
	}
	switch f.kind {
	case callField:
		x.call(&e, values, person)
	case quotaField:
		if x.want.quota {
			e.QuotaValue = x.amount(values.with(9))
		}
	}
	if f.kind != quotaField {
		x.crmSide(&e, values)
	}
	if !x.c.config.Plain {
		x.oddities(&e, d)
	}
	return e, true
}

// tells reports whether what was asked for says anything of such a field.
func (x *cells) tells(kind fieldKind) bool {
	crm := x.want.total || x.want.closed
	switch kind {
	case quotaField:
		return x.want.quota
	case crmField:
		return crm
	}
	return x.want.forecast || x.want.updated || x.want.adjustment || crm
}

func (x *cells) call(e *Entry, d draw, person int) {
	if x.want.forecast {
		e.ForecastValue = x.amount(d.with(10))
	}
	if x.want.updated {
		x.updated(e, d.with(20), person)
	}
	if x.want.adjustment {
		x.adjusted(e, d.with(30), person)
	}
}

func (x *cells) updated(e *Entry, d draw, person int) {
	yes := d.chance(0.7)
	e.IsUpdated = Flag{Given, yes}
	if yes {
		e.UpdatedBy, e.UpdatedOn = Word{Given, userID(person)}, x.instant(d)
		return
	}
	e.UpdatedBy, e.UpdatedOn = Word{Presence: Null}, Instant{Presence: Null}
}

func (x *cells) adjusted(e *Entry, d draw, person int) {
	if !d.chance(0.2) {
		e.AdjustmentValue, e.AdjustedBy, e.AdjustedOn = Money{Presence: Null}, Word{Presence: Null}, Instant{Presence: Null}
		return
	}
	e.AdjustmentValue = x.amount(d.with(1))
	e.AdjustedBy, e.AdjustedOn = Word{Given, userID(managerOf(max(1, person)))}, x.instant(d)
}

func (x *cells) crmSide(e *Entry, d draw) {
	if x.want.total {
		if total := x.amount(d.with(40)); x.crm {
			e.CRMTotal = total
		} else {
			e.AggregationTotal = total
		}
	}
	if x.want.closed {
		e.CRMClosed = x.amount(d.with(50))
	}
}

// amount draws a value in the file's currency.
func (x *cells) amount(d draw) Money {
	if !x.c.config.Plain {
		switch share := d.with(1).float(); {
		case share < nullShare:
			return Money{Presence: Null}
		case share < nullShare+absentShare:
			return Money{}
		case share < nullShare+absentShare+beyond:
			return Money{Given, 1234567890123456700 + int64(d.below(100))}
		}
	}
	cents := int64(d.with(2).below(2*typical)) * x.currency.per / 1000
	if d.with(3).float() < large {
		cents *= 1000000
	}
	if d.with(4).float() < negative {
		cents = -cents
	}
	return Money{Given, cents}
}

// instant is within the week and not after what the file shows.
func (x *cells) instant(d draw) Instant {
	millis := x.week.first.UnixMilli() + int64(d.with(60).below(7*24*3600*1000))
	return Instant{Given, min(millis, x.c.query.AsOf.UnixMilli())}
}

func (x *cells) oddities(e *Entry, d draw) {
	if share := d.with(70).float(); share < dangling/2 {
		e.UserID = "gone-" + e.UserID // of one person each: no two entries of one key
	} else if share < dangling {
		e.FieldID = "retired_" + e.FieldID
	}
	if d.with(72).float() < unknown {
		e.Confidence = Money{Given, int64(d.with(73) % 101)}
	}
	if math.Abs(d.with(74).float()) < absentShare {
		e.CurrencyCode, e.CurrencySymbol = "", ""
	}
}
