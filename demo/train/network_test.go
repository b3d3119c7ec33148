package main

import (
	"context"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"pare/demo"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// fitted is a network after a few steps of training.
func fitted() sequence {
	r := rand.New(rand.NewPCG(3, 0))
	net := newNetwork(r)
	fit(net, demo.Draw(3, 5*batch), 2, r, io.Discard)
	return net
}

// The same seed gives the same weights with any number of threads.
func TestThreadsDoNotMatter(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	one := fitted().params()
	runtime.GOMAXPROCS(3)
	for i, p := range fitted().params() {
		if !slices.Equal(p.v, one[i].v) {
			t.Fatalf("parameter %d differs", i)
		}
	}
}

// A network that learns at all knows a handful of pictures by heart.
func TestLearns(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 0))
	net := newNetwork(r)
	set := pictures(demo.Draw(4, 2*batch))
	fit(net, set, 20, r, io.Discard)
	if a := accuracy(net, set); a < 0.9 {
		t.Errorf("%.0f %% of the training pictures are right", 100*a)
	}
}

// The exported graph computes what the layers compute.
func TestExport(t *testing.T) {
	net := fitted()
	m := export(net)
	if err := ir.Check(m.Graph); err != nil {
		t.Fatal(err)
	}
	if _, err := op.Infer(m); err != nil {
		t.Fatal(err)
	}
	x := &maps{}
	pictures(demo.Draw(demo.Held, 3)).batch(x, []int{0, 1, 2})
	want := net.forward(x, false)
	out, err := op.Run(context.Background(), m, map[string]op.Val{"input": tensor.Of([]int{3, 3, demo.Side, demo.Side}, x.v)})
	if err != nil {
		t.Fatal(err)
	}
	got := tensor.Float32s(out[0].(*tensor.Tensor))
	for i, w := range want.v {
		if math.Abs(float64(got[i]-w)) > 1e-4*max(1, math.Abs(float64(w))) {
			t.Fatalf("logit %d: the graph gives %g, the layers %g", i, got[i], w)
		}
	}
}
