package main

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
)

// The orders of a document's arrays, and its spacing.
const (
	entriesFirst = "first"  // entries before the lookup arrays
	entriesLast  = "last"   // after them
	pretty       = "pretty" // first, with white space between everything
	trap         = "trap"   // first, and what looks like an entry's end is none
)

// document describes a generated result. An entry exists for each user, field
// and week, in this order, until the size is reached; like descriptions give
// like bytes.
type document struct {
	bytes int64
	users int
	order string
}

const (
	weeks       = 13
	entryLength = 280 // about, to share the entries among users and fields
)

// write writes the document and says how many entries it has.
func (d document) write(to io.Writer) (entries int64, err error) {
	out := &counting{Writer: bufio.NewWriterSize(to, 1<<20)}
	rows := max(d.bytes/entryLength, 1)
	fields := int(rows/int64(d.users*weeks)) + 1
	arrays := []func() error{
		func() error { entries, err = d.entries(out, fields); return err },
		func() error { return d.lookups(out, fields) },
	}
	if d.order == entriesLast {
		arrays[0], arrays[1] = arrays[1], arrays[0]
	}
	d.text(out, "{")
	for i, array := range arrays {
		if i > 0 {
			d.text(out, ",\n")
		}
		if err := array(); err != nil {
			return entries, err
		}
	}
	d.text(out, "}\n")
	return entries, out.Flush()
}

type counting struct {
	*bufio.Writer
	bytes int64
}

func (c *counting) Write(p []byte) (int, error) {
	c.bytes += int64(len(p))
	return c.Writer.Write(p)
}

func (d document) text(out *counting, text string) { _, _ = io.WriteString(out, text) } // Flush tells

func (d document) entries(out *counting, fields int) (int64, error) {
	d.text(out, `"entries":[`)
	between := ","
	if d.order == pretty {
		between = " ,\n    "
	}
	var entries int64
	var line []byte
	for user := range d.users {
		for field := range fields {
			for week := range weeks {
				if out.bytes >= d.bytes {
					break
				}
				line = line[:0]
				if entries > 0 {
					line = append(line, between...)
				}
				line = d.entry(line, user, field, week)
				if _, err := out.Write(line); err != nil {
					return entries, err
				}
				entries++
			}
		}
	}
	d.text(out, "]")
	return entries, nil
}

// entry appends one entry; the values look like those of people's forecasts.
func (d document) entry(dst []byte, user, field, week int) []byte {
	random := mixed(uint64(user)<<40 | uint64(field)<<8 | uint64(week))
	if d.order == pretty {
		dst = append(dst, "{ "...)
	} else {
		dst = append(dst, '{')
	}
	dst = append(dst, `"userId":"`...)
	dst = appendUser(dst, user)
	dst = append(dst, `","fieldId":"`...)
	dst = appendField(dst, field)
	dst = append(dst, `","timeFrameId":"`...)
	dst = appendWeek(dst, week)
	dst = append(dst, `","timePeriodId":"2026_Q1","forecastValue":`...)
	dst = appendMoney(dst, random)
	dst = append(dst, `,"quotaValue":`...)
	dst = strconv.AppendUint(dst, uint64(user%40+10)*25_000, 10)
	dst = append(dst, `,"crmTotal":`...)
	dst = appendMoney(dst, mixed(random))
	if random%3 == 0 {
		dst = append(dst, `,"isUpdated":true,"updatedBy":"`...)
		dst = appendUser(dst, user-user%8)
		dst = append(dst, `","updatedOn":`...)
		dst = strconv.AppendUint(dst, 1_767_952_800_000+random>>32%7_000_000_000, 10)
	} else {
		dst = append(dst, `,"isUpdated":false,"updatedBy":null,"updatedOn":null`...)
	}
	dst = append(dst, `,"currency":{"code":"USD","symbol":"$"}`...)
	if d.order == trap {
		dst = append(dst, `,"history":[{"userId":"a"},{"userId":"b"},{"userId":"c"}]`...)
	}
	return append(dst, '}')
}

// appendMoney appends an amount with cents, or null now and then.
func appendMoney(dst []byte, random uint64) []byte {
	if random%10 == 9 {
		return append(dst, "null"...)
	}
	cents := random >> 20 % 200_000_000
	dst = strconv.AppendUint(dst, cents/100, 10)
	return append(dst, '.', byte('0'+cents/10%10), byte('0'+cents%10))
}

func appendUser(dst []byte, user int) []byte {
	dst = append(dst, "60736837"...)
	dst = strconv.AppendUint(dst, 1<<32+mixed(uint64(user))>>33, 16)
	return strconv.AppendInt(dst, 1_000_000+int64(user), 10)
}

func appendField(dst []byte, field int) []byte {
	return strconv.AppendInt(append(dst, "net_arr_field_"...), int64(field), 10)
}

func appendWeek(dst []byte, week int) []byte {
	day := 1 + 7*week
	month := 1
	for _, days := range []int{31, 28, 31} {
		if day > days {
			day -= days
			month++
		}
	}
	return fmt.Appendf(dst, "TF:2026-%02d-%02d", month, day)
}

// mixed is splitmix64.
func mixed(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (d document) lookups(out *counting, fields int) error {
	d.text(out, `"users":[`)
	for user := range d.users {
		id := appendUser(nil, user)
		parent := appendUser(nil, user-user%8)
		_, err := fmt.Fprintf(out, `%s{"userId":"%s","name":"Person %d of Sales","email":"person.%d@example.test","crmId":"0055g00000%06dAAQ","scopeId":"{\"type\":\"USER\",\"id\":\"%s\"}",`+
			`"hierarchyId":"h-%s","hierarchyName":"Region %d","parentHierarchyId":"h-%s","parentHierarchyName":"Area %d"}`,
			comma(user), id, user, user, user, id, id, user/8, parent, user/64)
		if err != nil {
			return err
		}
	}
	d.text(out, `],"fields":[`)
	for field := range fields {
		if _, err := fmt.Fprintf(out, `%s{"fieldId":"%s","fieldName":"Field number %d","fieldType":"currency"}`, comma(field), appendField(nil, field), field); err != nil {
			return err
		}
	}
	d.text(out, `],"timePeriods":[{"timePeriodId":"2026_Q1","type":"quarter","label":"Q1 2026","year":2026,"startDate":"2026-01-01","endDate":"2026-03-31","crmId":"0265g0"}],"timeFrames":[`)
	for week := range weeks {
		start := appendWeek(nil, week)
		if _, err := fmt.Fprintf(out, `%s{"timeFrameId":"%s","startDate":"%s","endDate":"%s"}`, comma(week), start, start[3:], start[3:]); err != nil {
			return err
		}
	}
	d.text(out, "]")
	return nil
}

func comma(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}
