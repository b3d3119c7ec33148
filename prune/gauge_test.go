package prune

import (
	"context"
	"fmt"
	"math"
	"testing"

	"pare/calib"
	"pare/compress"
	"pare/dataset"
	"pare/grad"
	"pare/group"
	"pare/ir"
	"pare/op"
)

// labelled gives samples classes that repeat.
type labelled struct {
	dataset.Set
	classes int
}

func (l labelled) Task() dataset.Task { return dataset.Classification }

func (l labelled) Batch(ctx context.Context, lo, hi int) (dataset.Batch, error) {
	b, err := l.Set.Batch(ctx, lo, hi)
	for i := lo; i < hi; i++ {
		b.Labels = append(b.Labels, i*7%l.classes)
	}
	return b, err
}

// taught is an environment with made-up pictures and labels for m.
func taught(t *testing.T, m *ir.Model, classes int) *compress.Env {
	t.Helper()
	if _, err := op.Infer(m); err != nil {
		t.Fatal(err)
	}
	return &compress.Env{Threads: 2, Data: &calib.Data{Set: labelled{pictured(t, m, 3), classes}}}
}

// signed sums weight times gradient over the path.
var signed = relevance{path: true, entry: weighted, gather: func(_, signed float64) float64 { return signed }}

// fine is the gauge of the path with many small steps, whose sum is an integral.
func fine(t *testing.T, m *ir.Model, env *compress.Env, samples int) *gauge {
	t.Helper()
	list, err := lessons(context.Background(), m, env, Sampling{Batches: 1, Batch: samples, Aim: "labels", Temperature: 1}, true)
	if err != nil {
		t.Fatal(err)
	}
	return &gauge{Sampling: Sampling{Norm: 2}, Journey: Journey{Mu: 0.99, Steps: 900}, row: signed, lessons: list, threads: 2}
}

// change is what the loss rises by when some units of a group are removed, -1 for all.
func change(t *testing.T, g *gauge, m *ir.Model, grp *group.Group, only int) float64 {
	t.Helper()
	list := strands(bundlesOf(grp))
	o := grad.Options{Outputs: judgedOf(m), Threads: 2}
	for _, s := range list {
		o.Params = append(o.Params, s.value)
	}
	p, err := grad.New(m, o)
	if err != nil {
		t.Fatal(err)
	}
	var losses []float64
	for _, at := range []float32{1, 0} {
		for i, s := range list {
			s.param = p.Params()[i]
			s.set(at, only)
		}
		out, err := p.Forward(context.Background(), g.lessons[0].in)
		if err != nil {
			t.Fatal(err)
		}
		loss, _ := g.lessons[0].loss(out, []int{0})
		losses = append(losses, loss)
	}
	return losses[1] - losses[0]
}

// sumsUp checks that the sums of weight times gradient over the path are what the loss
// changes by: of a whole group scaled at once, and of the unit that matters most.
func sumsUp(t *testing.T, m *ir.Model, g *gauge, grp *group.Group) {
	t.Helper()
	check := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 0.02*math.Abs(want) {
			t.Errorf("group %q, %s: integrated %.5f, the loss changes by %.5f", grp.ID, what, got, want)
		}
	}
	scores, err := g.scores(context.Background(), m, grp)
	if err != nil {
		t.Fatal(err)
	}
	sum, most := 0.0, 0
	for k, s := range scores {
		if sum += s; math.Abs(change(t, g, m, grp, k)) > math.Abs(change(t, g, m, grp, most)) {
			most = k
		}
	}
	check("joint path", -(1-g.Mu)*sum, change(t, g, m, grp, -1))
	if scores, err = g.along(context.Background(), m, grp, most); err != nil {
		t.Fatal(err)
	}
	check(fmt.Sprintf("unit %d", most), -(1-g.Mu)*scores[most], change(t, g, m, grp, most))
}

// TestCompleteness: what batch-norms add goes to nothing, too, those within a unit
// included.
func TestCompleteness(t *testing.T) {
	m := blocked(t)
	g := fine(t, m, taught(t, m, 5), 8)
	for _, grp := range group.Analyse(m, group.Removing).Groups {
		if !grp.Pinned() {
			sumsUp(t, m, g, grp)
		}
	}
}
