package group_test

import (
	"fmt"
	"strings"
	"testing"

	"pare/group"
	"pare/ir"
	"pare/op"
)

func parse(t *testing.T, body string) *ir.Model {
	t.Helper()
	return parseWith(t, "f32[1,4,8,8]", body)
}

func parseWith(t *testing.T, input, body string) *ir.Model {
	t.Helper()
	m, err := ir.Parse(strings.NewReader("ir_version 8\nopset 18\ngraph g(x " + input + ") -> (y) {\n" + body + "\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := op.Infer(m); err != nil {
		t.Fatal(err)
	}
	return m
}

// list prints the groups: name, number of units, and why it is pinned.
func list(a *group.Analysis) string {
	var b strings.Builder
	for _, g := range a.Groups {
		fmt.Fprintf(&b, "%s %d", g.ID, len(g.Units))
		if g.Pinned() {
			fmt.Fprintf(&b, " pinned: %s", g.Reason)
		}
		b.WriteString("\n")
	}
	return b.String()
}

const (
	head = `  const w = f32[6,4,1,1]{*0.1}
  const v = f32[6,6,1,1]{*0.1}
  const d = f32[6,1,3,3]{*0.1}
  const b = f32[6]{*0.5}
  const z = f32[2,6,1,1]{*0.1}
`
	inputs  = "x 4 pinned: it is an input of the network\n"
	results = "y 2 pinned: it is an output of the network\n"
)

// TestGroups: what couples channels, and what pins them.
func TestGroups(t *testing.T) {
	for name, c := range map[string]struct {
		purpose    group.Purpose
		body, want string
	}{
		"sum": {group.Removing, "  a = Conv(x, w, b)\n  c = Conv(a, v)\n  s = Add(a, c)\n  y = Conv(s, z)",
			"a 6\n" + inputs + results},
		"depthwise keeps channels": {group.Removing, "  a = Conv(x, w)\n  c = Conv(a, d, b) {group=6}\n  y = Conv(c, z)",
			"a 6\n" + inputs + results},
		"depthwise parts scales": {group.Rescaling, "  a = Conv(x, w)\n  c = Conv(a, d, b) {group=6}\n  y = Conv(c, z)",
			"a 6\n" + inputs + "c 6\n" + results},
		"sigmoid": {group.Rescaling, "  a = Conv(x, w)\n  s = Sigmoid(a)\n  y = Conv(s, z)",
			"a 6 pinned: Sigmoid \"s\" is not positively homogeneous\n" + inputs + results},
		"sigmoid keeps channels": {group.Removing, "  a = Conv(x, w)\n  s = Sigmoid(a)\n  y = Conv(s, z)", "a 6\n" + inputs + results},
		"a gate lets scales pass": {group.Rescaling, "  a = Conv(x, w)\n  p = GlobalAveragePool(a)\n  q = Conv(p, v)\n  s = Sigmoid(q)\n  m = Mul(a, s)\n  y = Conv(m, z)",
			"a 6\n" + inputs + "q 6 pinned: Sigmoid \"s\" is not positively homogeneous\n" + results},
		"concatenation and slices": {group.Removing, "  const two = i64[1]{2}\n  const five = i64[1]{5}\n  const one = i64[1]{1}\n  const w2 = f32[6,4,1,1]{*1.0}\n  const u = f32[2,3,1,1]{*1.0}\n" +
			"  a = Conv(x, w)\n  c = Conv(x, w2)\n  k = Concat(a, c) {axis=1}\n  s = Slice(k, two, five, one)\n  y = Conv(s, u)",
			"a 3\na#2 3\n" + inputs + "c 6\n" + results},
		"shared weights": {group.Removing, "  a = Conv(x, w)\n  c = Conv(x, w)\n  s = Add(a, c)\n  y = Conv(s, z)",
			"a 6 pinned: \"w\" is read in several places\n" + inputs + results},
		"padded shortcut": {group.Removing, "  const p = i64[8]{0, 1, 0, 0, 0, 1, 0, 0}\n  a = Conv(x, w)\n  const r = f32[8,6,1,1]{*1.0}\n  k = Pad(a, p)\n  c = Conv(a, r)\n" +
			"  s = Add(c, k)\n  const u = f32[2,8,1,1]{*1.0}\n  y = Conv(s, u)",
			"a 6\n" + inputs + "c 2\n" + results},
		"shuffle": {group.Removing, "  const s1 = i64[5]{1, 2, 3, 8, 8}\n  const s2 = i64[4]{1, 6, 8, 8}\n  a = Conv(x, w)\n  r = Reshape(a, s1)\n  q = Transpose(r) {perm=[0, 2, 1, 3, 4]}\n" +
			"  k = Reshape(q, s2)\n  y = Conv(k, z)", "a 6\n" + inputs + results},
		"unknown operator": {group.Removing, "  a = Conv(x, w)\n  s = Einsum(a) {equation=\"abcd->abcd\"}\n  y = Conv(s, z)",
			"a 6 pinned: there is no rule for Einsum \"s\"\n" + inputs + results + "s 6 pinned: there is no rule for Einsum \"s\"\n"},
		"softmax over channels": {group.Removing, "  a = Conv(x, w)\n  s = Softmax(a) {axis=1}\n  y = Conv(s, z)",
			"a 6 pinned: Softmax \"s\" normalises it\n" + inputs + results},
		"an offset for all channels": {group.Rescaling, "  const one = f32[]{1.0}\n  a = Conv(x, w)\n  s = Add(a, one)\n  y = Conv(s, z)",
			"a 6 pinned: Add \"s\" combines all channels with the same number\n" + inputs + results},
		"groups of a convolution": {group.Removing, "  const g = f32[6,3,1,1]{*1.0}\n  a = Conv(x, w)\n  c = Conv(a, g) {group=2}\n  y = Conv(c, z)",
			"a 3\n" + inputs + "c 3\n" + results},
	} {
		if got := list(group.Analyse(parse(t, head+c.body), c.purpose)); got != c.want {
			t.Errorf("%s: got\n%swant\n%s", name, got, c.want)
		}
	}
}

// TestRefusals: pinned units, bad numbers and analyses for another purpose.
func TestRefusals(t *testing.T) {
	m := parse(t, head+"  a = Conv(x, w)\n  y = Conv(a, z)")
	a := group.Analyse(m, group.Rescaling)
	_, units, _ := a.Channels(m.Graph.Outputs[0])
	ones := func() []float64 {
		s := make([]float64, len(a.Pinned))
		for i := range s {
			s[i] = 1
		}
		return s
	}
	pinned, negative := ones(), ones()
	pinned[units[0]], negative[0] = 2, -1
	for name, scale := range map[string][]float64{"pinned": pinned, "negative": negative, "short": {1}} {
		p := ir.NewPatch(m.Graph, name)
		if err := a.Rescale(p, scale); err == nil || !p.Empty() {
			t.Errorf("%s scales are accepted", name)
		}
	}
	removing := group.Analyse(m, group.Removing)
	if err := removing.Rescale(ir.NewPatch(m.Graph, ""), make([]float64, len(removing.Pinned))); err == nil {
		t.Error("an analysis for removing rescales")
	}
}
