package prune

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"testing"

	"pare/calib"
	"pare/compress"
	"pare/dataset"
	"pare/engine"
	"pare/group"
	"pare/internal/assets"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// engineRunner runs networks by the engine.
type engineRunner struct {
	session *engine.Session
	names   []string
}

func newEngineRunner(m *ir.Model, values []*ir.Value) (calib.Runner, error) {
	r := &engineRunner{}
	var extra []string
	for _, v := range values {
		r.names = append(r.names, v.Name)
		if v.Producer() != nil && !m.Graph.IsOutput(v) {
			extra = append(extra, v.Name)
		}
	}
	p, err := engine.Compile(context.Background(), m, engine.Options{Threads: 2, Extra: extra})
	if err != nil {
		return nil, err
	}
	r.session = p.NewSession()
	return r, nil
}

func (r *engineRunner) Run(ctx context.Context, in map[string]*tensor.Tensor) ([]*tensor.Tensor, error) {
	got, err := r.session.Run(ctx, in)
	if err != nil {
		return nil, err
	}
	var out []*tensor.Tensor
	for _, n := range r.names {
		t := got[n]
		if t == nil {
			t = in[n]
		}
		out = append(out, t)
	}
	return out, nil
}

// training opens training pictures, which nothing here is judged on later.
func training(t *testing.T, spec string) dataset.Set {
	t.Helper()
	set, err := dataset.Open(fmt.Sprintf(spec, assets.Path(t, "")))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// ranked is a network ready to be pruned: folded, scored, looked at.
func ranked(t *testing.T, m *ir.Model, lo, hi []float64, repair string) (*pruning, *structure, map[*block][]float64) {
	t.Helper()
	ctx := context.Background()
	env := &compress.Env{Threads: 2, Run: newEngineRunner, Log: slog.New(slog.DiscardHandler), Input: compress.InputRange{Lo: lo, Hi: hi}}
	p, s := prepared(m, env)
	if why, err := p.newView(ctx); why != "" || err != nil {
		t.Fatal(why, err)
	}
	e, costs := p.newErrorModel(repair), map[*block][]float64{}
	for _, b := range s.blocks {
		b.least = max(8, b.size()/10)
		free := make([]bool, b.size())
		b.rank(make([]float64, b.size()), free)
		var err error
		if b.order, costs[b], err = e.surgery(ctx, b, free); err != nil {
			t.Fatal(err)
		}
	}
	return p, s, costs
}

// TestPredictedErrorsRankGroups: groups of which as much is removed, one at a time,
// stand in the order of the errors that were predicted without data.
func TestPredictedErrorsRankGroups(t *testing.T) {
	for _, n := range rankNetworks {
		set := training(t, n.data)
		m := opened(t, n.path)
		recipe(t, m, "fold")
		if _, err := op.Infer(m); err != nil {
			t.Fatal(err)
		}
		want, _ := answers(t, m, set, n.samples)
		p, s, costs := ranked(t, m, n.lo, n.hi, "mean")
		var predicted, measured []float64
		for _, b := range s.blocks {
			k := b.size() / 4
			if k == 0 || k > b.most() {
				continue
			}
			s.set(b, k)
			small := ir.CloneModel(m)
			a := group.Analyse(small, group.Removing)
			change := s.change(true)
			change.Stats = func(v *ir.Value) *ir.Stats { return p.stats(m.Graph.Value(v.Name)) }
			patch := ir.NewPatch(small.Graph, "remove")
			if err := a.Apply(patch, change); err != nil {
				t.Fatal(err)
			}
			if err := patch.Apply(); err != nil {
				t.Fatal(err)
			}
			s.set(b, 0)
			got, _ := answers(t, small, set, n.samples)
			var d, all float64
			for i, v := range want {
				d, all = d+math.Pow(float64(v-got[i]), 2), all+float64(v)*float64(v)
			}
			predicted, measured = append(predicted, costs[b][k]), append(measured, d/all)
			t.Logf("%-40s %3d of %3d: predicted %.4f, measured %.4f", b.ID, k, b.size(), costs[b][k], d/all)
		}
		rho := spearman(predicted, measured)
		t.Logf("%s: rank correlation %.2f over %d groups", n.path, rho, len(measured))
		if rho < n.least {
			t.Errorf("%s: rank correlation %.2f", n.path, rho)
		}
	}
}

var rankNetworks = []struct {
	path, data string
	samples    int
	lo, hi     []float64
	least      float64
}{
	{"cifar10/resnet20.onnx", "cifar10:%s/cifar10/train_batch_1.bin?mean=0.485,0.456,0.406&std=0.229,0.224,0.225", 100, []float64{-2.12, -2.04, -1.8}, []float64{2.25, 2.43, 2.64}, 0.6},
}

// spearman is the correlation of ranks.
func spearman(x, y []float64) float64 {
	rank := func(x []float64) []float64 {
		order := make([]int, len(x))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int {
			if x[a] < x[b] {
				return -1
			}
			return 1
		})
		out := make([]float64, len(x))
		for r, i := range order {
			out[i] = float64(r)
		}
		return out
	}
	a, b, n := rank(x), rank(y), float64(len(x))
	d := 0.0
	for i := range a {
		d += (a[i] - b[i]) * (a[i] - b[i])
	}
	return 1 - 6*d/(n*(n*n-1))
}
