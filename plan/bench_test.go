package plan_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/plan"
)

// busy is a view with so many planned exports behind ten that run.
func busy(waiting int) plan.View {
	var exports []weir.Export
	for id := range 10 {
		exports = append(exports, running(int64(id+1), fmt.Sprint("tab", id), "2026_Q1", time.Duration(id)*time.Second))
	}
	for id := range waiting {
		exports = append(exports, planned(int64(id+11), fmt.Sprint("tab", id%20), fmt.Sprintf("20%02d_Q%d", id/80%100, id/20%4+1)))
	}
	v := calm(exports...)
	v.Budget.Slots, v.Budget.SlotsFree = 10, 0
	v.History = map[string][]time.Duration{}
	for i := range 20 {
		v.History[fmt.Sprintf("forecast/tab%d/2026_Q1", i)] = []time.Duration{40 * time.Second, 50 * time.Second, 45 * time.Second}
	}
	v.Learned = plan.Learn(v.History)
	return v
}

func BenchmarkNext(b *testing.B) {
	for _, waiting := range []int{0, 10, 500, 1000} {
		b.Run(fmt.Sprintf("planned=%d", waiting), func(b *testing.B) {
			v := busy(waiting)
			for b.Loop() {
				plan.Next(v, noon)
			}
		})
	}
}
