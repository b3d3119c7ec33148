package op_test

import (
	"bufio"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"pare/ir"
	"pare/op"
)

var updateLists = flag.Bool("update", false, "rewrite the lists of cases in testdata that do not pass")

// TestConformance evaluates every case of the official suite by reference and
// compares values, types and inferred types.
func TestConformance(t *testing.T) {
	failed := map[string]error{}
	cases := suite(t)
	for _, c := range cases {
		if err := conforms(c); err != nil {
			failed[c.name] = err
		}
	}
	t.Logf("%d of %d cases pass", len(cases)-len(failed), len(cases))
	checkList(t, "testdata/conformance.txt", failed)
}

func conforms(c *conformanceCase) error {
	m, err := c.model()
	if err != nil {
		return err
	}
	runs, err := c.run(m, m)
	if err != nil {
		return err
	}
	return c.sameTypes(m, runs)
}

// TestRaisingKeepsResults raises every case that conforms to the newest
// operator set and compares again.
func TestRaisingKeepsResults(t *testing.T) {
	failed := map[string]error{}
	n := 0
	for _, c := range suite(t) {
		m, err := c.model()
		if err != nil || m.Opset("") < 7 || conforms(c) != nil {
			continue
		}
		n++
		if err := c.raised(m); err != nil {
			failed[c.name] = err
		}
	}
	t.Logf("%d of %d cases pass", n-len(failed), n)
	checkList(t, "testdata/raising.txt", failed)
}

func (c *conformanceCase) raised(m *ir.Model) error {
	if _, err := op.Infer(m); err != nil {
		return err
	}
	before := ir.CloneModel(m)
	if err := op.RaiseTo(m, newest()); err != nil {
		return err
	}
	if err := ir.Check(m.Graph); err != nil {
		return err
	}
	runs, err := c.run(m, before)
	if err != nil {
		return err
	}
	return c.sameTypes(m, runs)
}

// newest is the newest version of the standard operator set in the table.
func newest() (v int) {
	for _, d := range op.Table {
		if d.Domain == "" {
			v = max(v, slices.Max(d.Versions))
		}
	}
	return v
}

// unexplained heads the cases for which nobody has written a reason yet.
const unexplained = "unexplained"

// checkList compares the failed cases with a list of them by reason: lines
// "# reason", each followed by names. With -update it rewrites the list.
func checkList(t *testing.T, path string, failed map[string]error) {
	t.Helper()
	reasons := readList(t, path)
	for name, reason := range reasons {
		if failed[name] == nil && !*updateLists {
			t.Errorf("%s passes but is listed in %s (%s)", name, path, reason)
		}
	}
	byReason := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(failed)) {
		reason := reasons[name]
		if reason == "" {
			reason = unexplained
			t.Errorf("%s: %v", name, failed[name])
		}
		byReason[reason] = append(byReason[reason], name)
	}
	if *updateLists {
		writeList(t, path, byReason)
	}
}

func readList(t *testing.T, path string) map[string]string {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]string{}
	reason := unexplained
	for s := bufio.NewScanner(f); s.Scan(); {
		line := strings.TrimSpace(s.Text())
		if r, ok := strings.CutPrefix(line, "# "); ok {
			reason = r
		} else if line != "" && reason != unexplained {
			out[line] = reason
		}
	}
	return out
}

func writeList(t *testing.T, path string, byReason map[string][]string) {
	var b strings.Builder
	for i, reason := range slices.Sorted(maps.Keys(byReason)) {
		if i > 0 {
			fmt.Fprintln(&b)
		}
		fmt.Fprintf(&b, "# %s\n%s\n", reason, strings.Join(byReason[reason], "\n"))
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
