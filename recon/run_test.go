package recon_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"pare/calib"
	"pare/compress"
	"pare/dataset"
	"pare/eval"
	"pare/ir"
)

// snr measures a network against another on images that nothing was learned from.
func snr(t *testing.T, m, ref *ir.Model) float64 {
	t.Helper()
	run := func(m *ir.Model) eval.Network {
		r, err := newRunner(m, m.Graph.Outputs)
		if err != nil {
			t.Fatal(err)
		}
		return r.(observer).s
	}
	res, err := eval.Run(context.Background(), run(m), images(t, "train_batch_2.bin", 0, 64), eval.Options{Reference: run(ref), Batch: 16})
	if err != nil {
		t.Fatal(err)
	}
	return res.Against.SNR
}

func learning(set dataset.Set, threads int) compress.Options {
	return compress.Options{Data: &calib.Data{Set: set, Run: newRunner, Batch: 8}, Run: newRunner, Input: rangeOfCIFAR, Threads: threads, Seed: 7}
}

// TestLearned: a few steps on a few images bring outputs closer to the original's on
// images that were not seen, by every method and with every kind of base.
func TestLearned(t *testing.T) {
	net := load(t, "cifar10/resnet20.onnx")
	set := images(t, "train_batch_1.bin", 0, 24)
	for _, c := range []struct {
		base, recipe string
		gain         float64 // in dB
	}{
		{"fold+uniform(w=3,range=mse)", "fold+adaround(w=3,steps=12,batch=8)", 1},
		{"fold+uniform(w=4,a=4,range=mse)", "fold+brecq(a=4,steps=6,batch=8)", 1.5},
		{"fold+powerquant(w=3,a=6)", "fold+nupes(w=3,a=6,steps=6,batch=8)", 3},
		{"fold+uniform(w=3,range=mse)", "fold+adaquant(w=3,steps=6,batch=8)", 1},
	} {
		before, _ := compressed(t, net, c.base, learning(set, 2))
		after, rep := compressed(t, net, c.recipe, learning(set, 2))
		if a, b := snr(t, before, net), snr(t, after, net); b < a+c.gain {
			t.Errorf("%s: %.1f dB, %.1f by its base alone; at least %.1f more are expected", c.recipe, b, a, c.gain)
		}
		for _, l := range rep.Layers {
			if l.Step != "fold" && !strings.Contains(l.Reason, "error of unit") {
				t.Errorf("%s: layer %s is reported as %q", c.recipe, l.Name, l.Reason)
			}
		}
	}
}

// TestSameBytes: neither threads nor an interruption change what is learned.
func TestSameBytes(t *testing.T) {
	net, set := load(t, "cifar10/resnet20.onnx"), images(t, "train_batch_1.bin", 0, 32)
	const recipe = "fold+qdrop(a=4,steps=3,batch=8)"
	want, _ := compressed(t, net, recipe, learning(set, 1))
	if got, _ := compressed(t, net, recipe, learning(set, 3)); !bytes.Equal(text(t, got), text(t, want)) {
		t.Error("another number of threads changed the result")
	}
	r, err := compress.Parse(recipe)
	if err != nil {
		t.Fatal(err)
	}
	o := learning(set, 2)
	o.Journal = &compress.Journal{Dir: filepath.Join(t.TempDir(), "journal"), Input: func() (string, error) { return "input", nil }, Version: "test"}
	ctx, stop := context.WithCancelCause(context.Background())
	stopped := errors.New("stopped")
	o.Progress = func(p compress.Progress) {
		if p.What == "learning" && p.Done*2 > p.Total {
			stop(stopped)
		}
	}
	if _, err := r.Run(ctx, ir.CloneModel(net), o); !errors.Is(err, stopped) {
		t.Fatalf("an interrupted run returned %v", err)
	}
	o.Progress = nil
	again := ir.CloneModel(net)
	rep, err := r.Run(context.Background(), again, o)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Resumed == 0 {
		t.Error("nothing was resumed")
	}
	if !bytes.Equal(text(t, again), text(t, want)) {
		t.Error("a resumed run gave another result")
	}
}

// TestMadeUp: without data, pictures are made up and a warning says so; where that is
// not possible, it says that nothing was learned.
func TestMadeUp(t *testing.T) {
	net := load(t, "cifar10/resnet20.onnx")
	o := compress.Options{Run: newRunner, Input: rangeOfCIFAR}
	_, rep := compressed(t, net, "fold+brecq(a=8,steps=1,batch=4,samples=8)", o)
	if w := strings.Join(rep.Warnings, "\n"); !strings.Contains(w, "pictures made up") {
		t.Errorf("warnings: %s", w)
	}
	_, rep = compressed(t, net, "fold+brecq(steps=1)", compress.Options{Run: newRunner})
	if w := strings.Join(rep.Warnings, "\n"); !strings.Contains(w, "nothing was learned") {
		t.Errorf("warnings: %s", w)
	}
}

// TestSettings: every word of every setting works.
func TestSettings(t *testing.T) {
	net, set := load(t, "cifar10/resnet20.onnx"), images(t, "train_batch_1.bin", 0, 8)
	for _, setting := range []string{
		"loss=lp", "loss=cosine", "loss=fisher", "unit=network,loss=kl", "variable=soft", "variable=h,select=unsure", "variable=h,select=important",
		"augment=flip", "augment=mixup", "input=float", "input=mix", "optimizer=adamax,schedule=constant", "drop=0.5", "finish=last", "bias=false,scale=false",
	} {
		recipe := "fold+brecq(w=3,a=8,steps=1,batch=4,start=nearest," + setting + ");/layer*:skip"
		_, rep := compressed(t, net, recipe, learning(set, 2))
		learned := 0
		for _, l := range rep.Layers {
			if strings.Contains(l.Reason, "error of unit") {
				learned++
			} else if !l.Skipped {
				t.Errorf("%s: layer %s: %s", setting, l.Name, l.Reason)
			}
		}
		if learned != 2 {
			t.Errorf("%s: %d layers learned, want 2", setting, learned)
		}
	}
}
