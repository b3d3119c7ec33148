package compresstest

import (
	"context"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"testing"

	"pare/compress"
	"pare/format"
	"pare/internal/fault"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// RunAll checks every registered method on every model, with its defaults and
// with the given recipes (such as other widths). A method added to the registry
// is tested without another line of code.
func RunAll(t *testing.T, recipes ...string) {
	for _, info := range compress.Methods() {
		m := info.New()
		if err := m.Validate(); err != nil {
			t.Errorf("%s: the defaults do not validate: %v", info.Name, err)
		}
		if !slices.ContainsFunc(compress.Kinds, func(k compress.KindInfo) bool { return k.Kind == info.Kind }) {
			t.Errorf("%s is of no kind: compress.Kinds lists them", info.Name)
		}
		survivesJSON(t, m)
		recipes = append(recipes, alone(info))
	}
	for _, text := range recipes {
		r, err := compress.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if again, err := compress.Parse(r.String()); err != nil || again.String() != r.String() {
			t.Errorf("%s is spelled %q, which does not read back: %v", text, r, err)
		}
		for _, model := range Models {
			t.Run(text+"/"+model.Name, func(t *testing.T) { check(t, r, model) })
		}
	}
}

// alone is the recipe that shows what a method does by itself.
func alone(info compress.Info) string {
	if info.Kind == compress.Correcting {
		return "uniform(w=4)+" + info.Name // there is something to correct
	}
	return info.Name
}

// survivesJSON checks that a method is its configuration and nothing else.
func survivesJSON(t *testing.T, m compress.Method) {
	t.Helper()
	b, err := json.Marshal(m)
	if err != nil {
		t.Error(err)
		return
	}
	again := reflect.New(reflect.TypeOf(m).Elem()).Interface()
	if err := json.Unmarshal(b, again); err != nil || !reflect.DeepEqual(m, again) {
		t.Errorf("%T changed on the way through JSON: %s, %v", m, b, err)
	}
}

// apply runs the recipe on a fresh model.
func apply(t *testing.T, r *compress.Recipe, model Model, threads int) (*ir.Model, *compress.Report) {
	t.Helper()
	m := model.Build()
	o := compress.Options{Seed: 5, Threads: threads, Provenance: &compress.Provenance{Version: "test"}}
	if fed(r) {
		hungry(t, r, m, o)
		o.Data = data(model)
	}
	rep, err := r.Run(context.Background(), m, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := ir.Check(m.Graph); err != nil {
		t.Fatalf("the graph is broken afterwards: %v", err)
	}
	return m, rep
}

// hungry checks that a recipe that learns says at once that it has nothing to learn from.
func hungry(t *testing.T, r *compress.Recipe, m *ir.Model, o compress.Options) {
	t.Helper()
	_, err := r.Run(context.Background(), m, o)
	if _, _, hint := fault.Describe(err); err == nil || hint == "" {
		t.Errorf("without samples: %v; want an error with a hint", err)
	}
}

func check(t *testing.T, r *compress.Recipe, model Model) {
	a, rep := apply(t, r, model, 1)
	b, _ := apply(t, r, model, 5)
	if what := differ(a, b); what != "" {
		t.Errorf("%s depends on the number of threads", what)
	}
	accounted(t, model.Build(), rep)
	got := run(t, a, model)
	sameOutputs(t, "decoding the weights beforehand", got, run(t, simulate(t, a), model), math.Inf(1))
	sameOutputs(t, "compression", got, run(t, model.Build(), model), leastSNR(rep))
}

// leastSNR is the signal-to-noise ratio that the outputs must keep, by the
// narrowest layer: with three levels nothing is promised on random weights.
func leastSNR(rep *compress.Report) float64 {
	least := 8
	for _, l := range rep.Layers {
		if !l.Skipped {
			least = min(least, l.Bits)
		}
	}
	switch least {
	case 2:
		return math.Inf(-1)
	case 3:
		return 2
	}
	return 3
}

// differ names the first difference between two models, "" when there is none.
func differ(a, b *ir.Model) string {
	if !reflect.DeepEqual(a.Metadata, b.Metadata) || !reflect.DeepEqual(a.Opsets, b.Opsets) {
		return "metadata"
	}
	if len(a.Graph.Nodes) != len(b.Graph.Nodes) || len(a.Graph.Consts) != len(b.Graph.Consts) {
		return "the graph"
	}
	for i, n := range a.Graph.Nodes {
		if n.String() != b.Graph.Nodes[i].String() {
			return n.String()
		}
	}
	for i, v := range a.Graph.Consts {
		if w := b.Graph.Consts[i]; v.Name != w.Name || !tensor.Equal(v.Const, w.Const) {
			return v.Name
		}
	}
	return ""
}

// accounted checks that a step which touches layers accounts for all of them.
func accounted(t *testing.T, m *ir.Model, rep *compress.Report) {
	t.Helper()
	seen := map[string]map[string]bool{}
	for _, l := range rep.Layers {
		if seen[l.Step] == nil {
			seen[l.Step] = map[string]bool{}
		}
		seen[l.Step][l.Name] = true
		if !told(&l) {
			t.Errorf("%s: layer %s is neither compressed nor skipped with a reason: %+v", l.Step, l.Name, l)
		}
	}
	for step, names := range seen {
		for _, l := range compress.Layers(m) {
			if !names[l.Name] {
				t.Errorf("%s says nothing of layer %s", step, l.Name)
			}
		}
	}
}

// told reports whether a layer's line says what was done: skipped with a reason, or
// compressed with a format, or reduced with a rank, fewer values, channels or
// parameters, or a word on it.
func told(l *compress.LayerReport) bool {
	if l.Skipped {
		return l.Reason != "" && l.Format == ""
	}
	reduced := l.Rank > 0 || l.Values > 0 || l.Reason != "" || l.Before != nil && l.After != nil && l.Before.Totals != l.After.Totals
	return l.Format != "" || reduced && reduces(l.Step)
}

// reduces reports whether a step prunes, decomposes or trains: what it does to a layer
// is told by a word on it.
func reduces(step string) bool {
	r, err := compress.Parse(step)
	if err != nil {
		return false
	}
	i, _ := compress.InfoOf(r.Steps[0])
	return i.Kind.Reduces() || i.Kind == compress.Tuning
}

// simulate replaces every compressed weight by its decoded value.
func simulate(t *testing.T, m *ir.Model) *ir.Model {
	t.Helper()
	out := ir.CloneModel(m)
	p := ir.NewPatch(out.Graph, "decode")
	for v := range out.Graph.Values {
		e, ok := format.MatchWeight(out, v)
		if !ok {
			continue
		}
		d, err := e.Decode(2)
		if err != nil {
			t.Fatal(err)
		}
		p.Replace(v, p.Const(v.Name+"_simulated", d))
	}
	if err := p.Apply(); err != nil {
		t.Fatal(err)
	}
	return out
}

// run evaluates the model by the operators' reference.
func run(t *testing.T, m *ir.Model, model Model) [][]float32 {
	t.Helper()
	in := map[string]op.Val{}
	for name, x := range model.Input() {
		in[name] = x
	}
	vals, err := op.Run(context.Background(), m, in)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]float32
	for _, v := range vals {
		out = append(out, tensor.Float32s(v.(*tensor.Tensor)))
	}
	return out
}

// sameOutputs holds got to a signal-to-noise ratio in dB against want; +Inf
// means the same bits.
func sameOutputs(t *testing.T, what string, got, want [][]float32, snr float64) {
	t.Helper()
	for i := range want {
		d := format.Difference(want[i], got[i])
		if s := d.SNR(); s < snr || math.IsNaN(s) || math.IsNaN(d.Max) || len(got[i]) != len(want[i]) {
			t.Errorf("%s changes output %d: %.1f dB, largest difference %v", what, i, s, d.Max)
		}
	}
}
