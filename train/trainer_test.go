package train_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pare/calib"
	"pare/group"
	"pare/ir"
	"pare/op"
	"pare/tensor"
	"pare/train"
)

// short are options of a few steps on the small network.
func short() train.Options {
	return train.Options{Steps: 12, Batch: 16, Rate: 0.02, Decay: 1e-4, Clip: 2, Held: 20, Seed: 3, Threads: 1, Optim: momentum, Augment: train.Augment{Flip: true, Shift: 0.125}}
}

func trainer(t *testing.T, m *ir.Model, o train.Options) *train.Trainer {
	t.Helper()
	tr, err := train.New(context.Background(), m, data(200), o)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func steps(t *testing.T, tr *train.Trainer, n int) {
	t.Helper()
	if err := tr.Steps(context.Background(), n); err != nil {
		t.Fatal(err)
	}
}

// stored are all constants of floats after what was learned is in the model.
func stored(t *testing.T, tr *train.Trainer, m *ir.Model) map[string][]float32 {
	t.Helper()
	if err := tr.Store(); err != nil {
		t.Fatal(err)
	}
	out := map[string][]float32{}
	for _, v := range m.Graph.Consts {
		if v.Const.Type == tensor.Float32 {
			out[v.Name] = slices.Clone(tensor.Float32s(v.Const))
		}
	}
	return out
}

func same(t *testing.T, what string, got, want map[string][]float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d constants, want %d", what, len(got), len(want))
	}
	for name, x := range want {
		if !slices.Equal(x, got[name]) {
			t.Errorf("%s: %s has other bits", what, name)
		}
	}
}

// The bits do not depend on threads, on how steps are asked for, or on an interruption
// whose checkpoint went through a file.
func TestSameBits(t *testing.T) {
	for _, optimizer := range []string{"sgd", "adamw"} {
		o := short()
		o.Optimizer, o.Teacher, o.Distil = optimizer, net(t, "N"), 0.5
		m := net(t, "N")
		tr := trainer(t, m, o)
		steps(t, tr, 100)
		if tr.Done() != 12 {
			t.Fatalf("%d steps", tr.Done())
		}
		want := stored(t, tr, m)

		o.Threads = 3
		m = net(t, "N")
		tr = trainer(t, m, o)
		steps(t, tr, 5)
		c, err := tr.Checkpoint()
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		steps(t, tr, 7)
		same(t, optimizer+" with threads", stored(t, tr, m), want)

		var back train.Checkpoint
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		m = net(t, "N")
		tr = trainer(t, m, o)
		if err := tr.Restore(&back); err != nil {
			t.Fatal(err)
		}
		steps(t, tr, 1)
		steps(t, tr, 6)
		same(t, optimizer+" resumed", stored(t, tr, m), want)
	}
}

// Parts of a step whose batch-norms are frozen add up to the whole step.
func TestParts(t *testing.T) {
	o := short()
	o.Freeze, o.Teacher, o.Distil, o.Distance = true, net(t, "N"), 0.3, "squared"
	var results [2]map[string][]float32
	for i, memory := range []int64{0, 100 << 10} {
		m := net(t, "N")
		o.Memory = memory
		tr := trainer(t, m, o)
		steps(t, tr, 4)
		results[i] = stored(t, tr, m)
	}
	equal := true
	for name, x := range results[0] {
		for i, v := range x {
			equal = equal && v == results[1][name][i]
			if math.Abs(float64(v-results[1][name][i])) > 1e-4*max(1, math.Abs(float64(v))) {
				t.Fatalf("%s[%d]: %v in parts, %v at once", name, i, results[1][name][i], v)
			}
		}
	}
	if equal {
		t.Error("the step was not parted")
	}
}

// Weights that are zero stay zero, unless they are freed; no other does.
func TestZeros(t *testing.T) {
	for _, free := range []bool{false, true} {
		for _, optimizer := range []string{"sgd", "adam", "nadam", "adamax"} {
			m, o := net(t, "N"), short()
			o.FreeZeros, o.Optimizer = free, optimizer
			w := m.Graph.Value("w3").Const
			for i := range tensor.Data[float32](w) {
				if i%3 == 0 {
					tensor.Data[float32](w)[i] = 0
				}
			}
			tr := trainer(t, m, o)
			steps(t, tr, 5)
			zeros := 0
			for _, x := range stored(t, tr, m)["w3"] {
				if x == 0 {
					zeros++
				}
			}
			if want := (w.Len() + 2) / 3; !free && zeros != want || free && zeros > want/10 {
				t.Errorf("%s, free %v: %d zeros of %d", optimizer, free, zeros, want)
			}
		}
	}
}

// removed takes channels out of the network and returns what is left of constants.
func removed(t *testing.T, m *ir.Model, value string, units ...int) map[string][]group.Source {
	t.Helper()
	if _, err := op.Infer(m); err != nil {
		t.Fatal(err)
	}
	a := group.Analyse(m, group.Removing)
	_, at, ok := a.Channels(m.Graph.Value(value))
	if !ok {
		t.Fatal("no channels")
	}
	c := a.Keep()
	for _, u := range units {
		c.Into[at[u]] = group.Gone
	}
	moved, err := a.Sources(c)
	if err != nil {
		t.Fatal(err)
	}
	p := ir.NewPatch(m.Graph, "remove")
	if err := a.Apply(p, c); err != nil {
		t.Fatal(err)
	}
	if err := p.Apply(); err != nil {
		t.Fatal(err)
	}
	return moved
}

// Channels that compute nothing and are read by nobody make no difference: removing
// them between steps, with their momentum, leaves the others' bits, and the schedule
// and the samples go on.
func TestExchange(t *testing.T) {
	dead := func(m *ir.Model) {
		for _, name := range []string{"w3", "c3"} {
			v := m.Graph.Value(name)
			row := v.Const.Len() / 16
			clear(tensor.Data[float32](v.Const)[5*row : 7*row])
		}
		x := tensor.Data[float32](m.Graph.Value("w4").Const)
		for i := range 4 {
			x[i*16+5], x[i*16+6] = 0, 0
		}
	}
	for _, optimizer := range []string{"sgd", "adamw", "nadam"} {
		o := short()
		o.Clip, o.Optimizer = 0, optimizer
		m := net(t, "N")
		dead(m)
		tr := trainer(t, m, o)
		steps(t, tr, 12)
		want := stored(t, tr, m)

		m = net(t, "N")
		dead(m)
		tr = trainer(t, m, o)
		steps(t, tr, 6)
		if err := tr.Store(); err != nil {
			t.Fatal(err)
		}
		if err := tr.Exchange(removed(t, m, "c", 5, 6)); err != nil {
			t.Fatal(err)
		}
		steps(t, tr, 6)
		got := stored(t, tr, m)
		if len(got["c3"]) != 14 || tr.Done() != 12 {
			t.Fatalf("%d channels after %d steps", len(got["c3"]), tr.Done())
		}
		for name, x := range want {
			if n := len(got[name]); n < len(x) {
				x = without(x, len(x)-n)
			}
			for i, v := range x {
				if math.Abs(float64(v-got[name][i])) > 2e-4 {
					t.Fatalf("%s: %s[%d] is %v, want %v", optimizer, name, i, got[name][i], v)
				}
			}
		}
	}
}

// without drops channels 5 and 6 of 16, which lie along the first axis of w3 and c3
// and along the second of w4.
func without(x []float32, gone int) (out []float32) {
	inner := len(x) / 16
	if len(x) == 64 { // w4
		for i, v := range x {
			if k := i % 16; k != 5 && k != 6 {
				out = append(out, v)
			}
		}
		return out
	}
	_ = gone
	return slices.Concat(x[:5*inner], x[7*inner:])
}

// A rate that is far too high is noticed and named, and Fit keeps the start.
func TestDivergence(t *testing.T) {
	o := short()
	o.Rate, o.Clip, o.Steps = 900, 0, 40
	m := net(t, "N")
	err := trainer(t, m, o).Steps(context.Background(), 40)
	if !errors.Is(err, train.ErrDiverged) || !strings.Contains(err.Error(), "rate") {
		t.Fatalf("got %v", err)
	}
	m = net(t, "N")
	before := map[string][]float32{}
	for _, v := range m.Graph.Consts {
		before[v.Name] = slices.Clone(tensor.Float32s(v.Const))
	}
	r, err := train.Fit(context.Background(), m, data(200), o, nil)
	if err != nil || r.Diverged == nil || r.Best != 0 || r.End != r.Start {
		t.Fatalf("got %+v, %v", r, err)
	}
	for _, v := range m.Graph.Consts {
		if !slices.Equal(before[v.Name], tensor.Float32s(v.Const)) {
			t.Errorf("%s changed", v.Name)
		}
	}
}

// Fit never leaves a network that is worse than the start, and says so.
func TestNeverWorse(t *testing.T) {
	m := net(t, "N")
	if _, err := train.Fit(context.Background(), m, data(600), scratch(), nil); err != nil {
		t.Fatal(err)
	}
	o := short()
	o.Rate, o.Optim.Momentum, o.Schedule = 0.9, 0.5, func(int, int) float64 { return 1 }
	r, err := train.Fit(context.Background(), m, data(200), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Best != 0 || r.End != r.Start {
		t.Errorf("%+v", r)
	}
}

// A cancelled training returns the cause within a step.
func TestCancel(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	o := short()
	o.Progress = func(done, _ int, _ float64) {
		if done == 3 {
			cancel(cause)
		}
	}
	tr := trainer(t, net(t, "N"), o)
	if err := tr.Steps(ctx, 12); !errors.Is(err, cause) || tr.Done() != 3 {
		t.Errorf("%d steps, %v", tr.Done(), err)
	}
}

// Networks of a fixed batch train part by part.
func TestFixedBatch(t *testing.T) {
	m, o := net(t, "8"), short()
	r, err := train.Fit(context.Background(), m, data(101), o, nil)
	if err != nil || r.Steps != 12 || r.Start.Samples != 16 {
		t.Errorf("%+v, %v", r, err)
	}
}

// Without labels a teacher is enough, and without both there is nothing to learn.
func TestUnlabelled(t *testing.T) {
	teacher := net(t, "N")
	if _, err := train.Fit(context.Background(), teacher, data(600), scratch(), nil); err != nil {
		t.Fatal(err)
	}
	m, o := net(t, "N"), scratch()
	set := calib.Data{Set: patterns{n: 600, unlabelled: true}}
	if _, err := train.New(context.Background(), m, set, o); err == nil {
		t.Fatal("learns without labels and teacher")
	}
	o.Teacher, o.Steps = teacher, 120
	r, err := train.Fit(context.Background(), m, set, o, nil)
	if err != nil || r.Start.Right != -1 || r.End.Loss > r.Start.Loss/4 {
		t.Errorf("%+v, %v", r, err)
	}
}
