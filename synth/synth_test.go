package synth_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"pare/calib"
	"pare/dataset"
	"pare/grad"
	"pare/internal/assets"
	"pare/ir"
	"pare/onnx"
	"pare/op"
	"pare/synth"
	"pare/tensor"
)

// The range of CIFAR-10's pictures as the networks want them.
var lo, hi = []float64{-2.1, -2.0, -1.8}, []float64{2.2, 2.4, 2.6}

func load(t *testing.T, name string) *ir.Model {
	t.Helper()
	f, err := onnx.Open(assets.Path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f.Model
}

// TestPicturesLookLikeTrainingData: channels behind a batch-norm come closer to what
// it remembers than those of the pictures that it began with.
func TestPicturesLookLikeTrainingData(t *testing.T) {
	m := load(t, "cifar10/resnet20.onnx")
	noise, err := calib.Noise(m, lo, hi, 16, 3)
	if err != nil {
		t.Fatal(err)
	}
	made := pictures(t, m, synth.Options{Count: 16, Steps: 15, Seed: 3})
	before, after := strangeness(t, m, noise), strangeness(t, m, made)
	t.Logf("from %.3f to %.3f", before, after)
	if after > before/2 {
		t.Errorf("distance from what batch-norms remember: %.3f, at the start %.3f", after, before)
	}
	for i, x := range values(t, made) {
		c := i / 1024 % 3
		if float64(x) < lo[c]-1e-6 || float64(x) > hi[c]+1e-6 {
			t.Fatalf("pixel %d is %v, outside of the range of the input", i, x)
		}
	}
}

func TestPicturesDoNotDependOnThreads(t *testing.T) {
	m := load(t, "cifar10/resnet20.onnx")
	a := values(t, pictures(t, m, synth.Options{Count: 8, Steps: 2, Seed: 1, Threads: 1}))
	b := values(t, pictures(t, m, synth.Options{Count: 8, Steps: 2, Seed: 1, Threads: 3}))
	if !slices.Equal(a, b) {
		t.Error("other threads, other pictures")
	}
}

func TestPicturesNeedBatchNorms(t *testing.T) {
	m := load(t, "imagenet/mobilenet_v2_1.0.onnx")
	_, err := synth.Pictures(context.Background(), m, []float64{-1}, []float64{1}, synth.Options{Count: 1})
	if !errors.Is(err, synth.ErrUnknown) {
		t.Errorf("a network without batch-norms: %v", err)
	}
}

func TestPicturesStopWhenTold(t *testing.T) {
	m := load(t, "cifar10/resnet20.onnx")
	ctx, stop := context.WithCancelCause(context.Background())
	why := errors.New("enough")
	stop(why)
	if _, err := synth.Pictures(ctx, m, lo, hi, synth.Options{}); !errors.Is(err, why) {
		t.Errorf("cancelled: %v", err)
	}
}

func pictures(t *testing.T, m *ir.Model, o synth.Options) dataset.Set {
	t.Helper()
	set, err := synth.Pictures(context.Background(), m, lo, hi, o)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func values(t *testing.T, s dataset.Set) []float32 {
	t.Helper()
	b, err := s.Batch(context.Background(), 0, s.Len())
	if err != nil {
		t.Fatal(err)
	}
	return tensor.Data[float32](b.Inputs[""])
}

// strangeness is the mean square distance of channels' means from those of
// batch-norms, in their deviations.
func strangeness(t *testing.T, m *ir.Model, s dataset.Set) float64 {
	t.Helper()
	if _, err := op.Infer(m); err != nil {
		t.Fatal(err)
	}
	var norms []*ir.Node
	var read []*ir.Value
	for _, n := range m.Graph.Nodes {
		if n.Op == "BatchNormalization" {
			norms, read = append(norms, n), append(read, n.In[0])
		}
	}
	p, err := grad.New(m, grad.Options{Outputs: read})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := s.Batch(context.Background(), 0, s.Len())
	got, err := p.Forward(context.Background(), []*tensor.Tensor{b.Inputs[""]})
	if err != nil {
		t.Fatal(err)
	}
	sum, count := 0.0, 0.0
	for i, n := range norms {
		x, mean, variance := tensor.Data[float32](got[i]), tensor.Float64s(n.In[3].Const), tensor.Float64s(n.In[4].Const)
		c, inner := len(mean), got[i].Shape[2]*got[i].Shape[3]
		for k := range c {
			m, places := 0.0, 0.0
			for at := k * inner; at < len(x); at += c * inner {
				for _, v := range x[at : at+inner] {
					m += float64(v)
					places++
				}
			}
			d := m/places - mean[k]
			sum += d * d / math.Max(variance[k], 1e-3)
			count++
		}
	}
	return sum / count
}
