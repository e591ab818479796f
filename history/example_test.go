package history_test

import (
	"context"
	"fmt"
	"os"

	"github.com/weirhq/weir/history"
)

func ExampleCompare() {
	commit := func(user, value string) history.Row {
		r := history.Row{IDs: [4][]byte{[]byte(user), []byte("commit"), []byte("TF:2026-11-23"), []byte("2026_Q4")}, UserName: []byte(user)}
		r.Values[0], _ = history.Parse([]byte(value))
		return r
	}
	rows := func(all ...history.Row) history.Rows {
		return func(each func(*history.Row) error) error {
			for i := range all {
				if err := each(&all[i]); err != nil {
					return err
				}
			}
			return nil
		}
	}
	yesterday := rows(commit("Ada", "100.10"), commit("Bob", "5"), commit("Cy", "7.5"))
	today := rows(commit("Cy", "0.00"), commit("Ada", "100.3"))
	summary, err := history.Compare(context.Background(), yesterday, today, history.Options{Dir: os.TempDir()}, func(c *history.Change) error {
		fmt.Println(c.UserName, c.Kind, c.From[0], c.To[0], c.Delta(0))
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	for _, p := range summary.People {
		fmt.Println(p.Presence, p.Name)
	}
	fmt.Println("total", summary.Totals[0].Delta)
	// Output:
	// Ada changed 100.1 100.3 0.2
	// Bob vanished 5  -5
	// Cy changed 7.5 0 -7.5
	// vanished Bob
	// zeroed Cy
	// total -12.3
}
