package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// jsonAt finds a value by a path such as exports.0.state; an @, or a # in
// quotes, is the length of a list. Literals stand as they came.
func jsonAt(text []byte, path string) (json.RawMessage, error) {
	if !json.Valid(text) {
		return nil, fmt.Errorf("not one JSON value: %.300s", text)
	}
	value := json.RawMessage(bytes.TrimSpace(text))
	if path == "." {
		return value, nil
	}
	for step := range strings.SplitSeq(path, ".") {
		next, err := jsonStep(value, step)
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w in %.500s", step, path, err, text)
		}
		value = next
	}
	return value, nil
}

func jsonStep(value json.RawMessage, step string) (json.RawMessage, error) {
	if bytes.HasPrefix(value, []byte("[")) {
		var list []json.RawMessage
		if err := json.Unmarshal(value, &list); err != nil {
			return nil, err
		}
		if step == "@" || step == "#" {
			return json.RawMessage(strconv.Itoa(len(list))), nil
		}
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(list) {
			return list[i], nil
		}
		return nil, fmt.Errorf("no such element of %d", len(list))
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(value, &members); err != nil {
		return nil, err
	}
	member, there := members[step]
	if !there {
		return nil, fmt.Errorf("no such member")
	}
	return member, nil
}

func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 3, "json FILE PATH VALUE")
	value, err := jsonAt([]byte(ts.ReadFile(args[0])), args[1])
	ts.Check(err)
	got := string(value)
	var text string
	if json.Unmarshal(value, &text) == nil && got != "null" {
		got = text
	}
	fits := got == args[2]
	if pattern, is := strings.CutPrefix(args[2], "~"); is {
		fits = regexp.MustCompile(pattern).MatchString(got)
	}
	if fits == neg {
		ts.Fatalf("%s of %s is %q, not %q (negated: %t)", args[1], args[0], got, args[2], neg)
	}
}

func cmdKeys(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) >= 2, "keys FILE PATH KEY...")
	value, err := jsonAt([]byte(ts.ReadFile(args[0])), args[1])
	ts.Check(err)
	decoder := json.NewDecoder(bytes.NewReader(value))
	_, err = decoder.Token()
	ts.Check(err)
	var names []string
	for decoder.More() {
		name, err := decoder.Token()
		ts.Check(err)
		names = append(names, name.(string))
		var skipped json.RawMessage
		ts.Check(decoder.Decode(&skipped))
	}
	if got, want := strings.Join(names, " "), strings.Join(args[2:], " "); got != want {
		ts.Fatalf("%s of %s has %s\nwant %s", args[1], args[0], got, want)
	}
}

// masks replace what differs from run to run.
var masks = []struct {
	pattern *regexp.Regexp
	by      string
}{
	{regexp.MustCompile(`\d{8}T\d{6}Z-[0-9a-f]{24}`), "INSTANT-JOB"},
	{regexp.MustCompile(`[0-9a-f]{24}`), "JOB"},
}

func cmdTree(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 1, "tree DIR")
	out := ts.Stdout()
	for _, name := range filesBelow(ts, args[0]) {
		for _, m := range masks {
			name = m.pattern.ReplaceAllString(name, m.by)
		}
		fmt.Fprintln(out, name)
	}
}

// filesBelow lists files by their slash paths below dir, in order.
func filesBelow(ts *testscript.TestScript, dir string) []string {
	var names []string
	root := ts.MkAbs(dir)
	ts.Check(filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		names = append(names, filepath.ToSlash(name))
		return err
	}))
	return names
}

func cmdMode(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 2, "mode FILE PERM")
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[1] {
		ts.Fatalf("%s has mode %s, want %s", args[0], got, args[1])
	}
}

func cmdLink(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 3, "link VARIABLE DIR REGEXP")
	var found []string
	for _, name := range filesBelow(ts, args[1]) {
		if regexp.MustCompile(args[2]).MatchString(name) {
			found = append(found, name)
		}
	}
	if len(found) != 1 {
		ts.Fatalf("%d files match %s: %s", len(found), args[2], strings.Join(found, " "))
	}
	ts.Setenv(args[0], filepath.Join(ts.MkAbs(args[1]), filepath.FromSlash(found[0])))
}
