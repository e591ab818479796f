package servertest

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// ticks is how many clock ticks of /proc make a second, on every Linux that Go
// runs on.
const ticks = 100

// cpuOf is the processor time of a process, of its children that have ended, and
// of those that run.
func cpuOf(pid int) (seconds float64, err error) {
	own, err := ticksOf(pid, 4)
	if err != nil {
		return 0, fmt.Errorf("read processor time, which is done on Linux: %w", err)
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return 0, fmt.Errorf("read processor time: %w", err)
	}
	for _, child := range strings.Fields(string(children)) {
		id, err := strconv.Atoi(child)
		if err != nil {
			return 0, fmt.Errorf("read processor time: %w", err)
		}
		if n, err := ticksOf(id, 2); err == nil { // one that ended meanwhile is counted with the parent
			own += n
		}
	}
	return own / ticks, nil
}

// ticksOf adds the first so many of user, system, and both of ended children.
func ticksOf(pid, so int) (n float64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(after)
	const user = 11
	if len(fields) < user+so {
		return 0, fmt.Errorf("%d fields", len(fields))
	}
	for _, field := range fields[user : user+so] {
		one, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return 0, err
		}
		n += one
	}
	return n, nil
}
