package emulator

import (
	"fmt"
	"net/http"
)

// mostOpportunities is how many ids one call may name.
const mostOpportunities = 100

// opportunities is GET /opportunity. An id that is not one of a CRM is left
// out of the answer.
func (v *visit) opportunities() reply {
	ids := v.r.URL.Query()["oppId"]
	switch {
	case len(ids) == 0:
		return v.refuseOpportunity(badRequest("opportunity", "oppId is required"))
	case len(ids) > mostOpportunities:
		return v.refuseOpportunity(badRequest("opportunity", fmt.Sprintf("at most %d oppId are allowed", mostOpportunities)))
	}
	found := []map[string]any{}
	for _, id := range ids {
		if len(id) >= 15 && len(id) <= 18 {
			found = append(found, v.opportunity(id))
		}
	}
	return jsonReply(http.StatusOK, found)
}

func (v *visit) opportunity(id string) map[string]any {
	d := v.e.draw.text("opportunity").text(id)
	score := d.with(1).below(101)
	cents := int64(d.with(2).below(50000000))
	return map[string]any{
		"id":       id,
		"crmScore": map[string]any{"score": score, "message": fmt.Sprintf("Likely to close: %d of 100", score)},
		"fields": []map[string]any{
			{"id": "opportunity.name", "alias": "Name", "value": `Deal "` + d.hex(4) + `", phase 2`},
			{"id": "opportunity.amount", "alias": "Amount", "value": float64(cents) / 100, "originalValue": float64(cents) / 100},
			{"id": "opportunity.stage", "alias": "Stage", "value": nil},
		},
	}
}
