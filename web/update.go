package web

import "strings"

// update is what changed between two makings of a page.
type update struct {
	// Say is to be read out; "" for nothing.
	Say     string   `json:"say,omitempty"`
	Regions []change `json:"regions,omitempty"`
	// Order names the regions of the page where they are not those from before.
	Order []string `json:"order,omitempty"`
}

// change is what changed of one region.
type change struct {
	ID string `json:"id"`
	// Frame is the region without its rows; nil when that stays.
	Frame *string `json:"frame,omitempty"`
	// Order are the rows; nil when they are the same ones. Rows are the new ones
	// and those that changed.
	Order []string          `json:"order,omitempty"`
	Rows  map[string]string `json:"rows,omitempty"`
	// Empty says that no row is left.
	Empty bool `json:"empty,omitempty"`
}

// whole is everything, for a browser that has something else.
func whole(s sheet) *update {
	u := difference(sheet{}, s)
	if u == nil {
		u = &update{}
	}
	u.Say = ""
	return u
}

// difference is what turns one page into another; nil when nothing does.
func difference(before, after sheet) *update {
	u := &update{}
	if after.Say != before.Say {
		u.Say = after.Say
	}
	known := map[string]region{}
	for _, r := range before.Regions {
		known[r.ID] = r
	}
	same := len(before.Regions) == len(after.Regions)
	for i, r := range after.Regions {
		if c, changed := changeOf(known[r.ID], r); changed {
			u.Regions = append(u.Regions, c)
		}
		same = same && before.Regions[i].ID == r.ID
	}
	if !same {
		for _, r := range after.Regions {
			u.Order = append(u.Order, r.ID)
		}
	}
	if u.Say == "" && len(u.Regions) == 0 && len(u.Order) == 0 {
		return nil
	}
	return u
}

func changeOf(before, after region) (change, bool) {
	c := change{ID: after.ID}
	if before.frame != after.frame {
		frame := strings.Replace(after.frame, rowsMark, "", 1)
		c.Frame = &frame
	}
	had := map[string]string{}
	for _, row := range before.rows {
		had[row.id] = row.html
	}
	same := len(before.rows) == len(after.rows)
	for i, row := range after.rows {
		if html, known := had[row.id]; !known || html != row.html {
			if c.Rows == nil {
				c.Rows = map[string]string{}
			}
			c.Rows[row.id] = row.html
		}
		same = same && before.rows[i].id == row.id
	}
	if !same {
		for _, row := range after.rows {
			c.Order = append(c.Order, row.id)
		}
		c.Empty = len(after.rows) == 0
	}
	return c, c.Frame != nil || c.Rows != nil || !same
}
