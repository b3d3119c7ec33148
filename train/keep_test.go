package train_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"math"
	"testing"

	"pare/ir"
	"pare/tensor"
	"pare/train"
)

// journal keeps results as a run does that can be resumed.
type journal map[string][]byte

func (j journal) keep(key string, into any, make func() error) error {
	if b, ok := j[key]; ok {
		return gob.NewDecoder(bytes.NewReader(b)).Decode(into)
	}
	if err := make(); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(into); err != nil {
		return err
	}
	j[key] = b.Bytes()
	return nil
}

// An interrupted fit goes on behind the last whole epoch and ends with the bits of one
// that was not interrupted.
func TestResume(t *testing.T) {
	o := short()
	o.Steps = 60
	fit := func(ctx context.Context, o train.Options, j journal) (*train.Result, map[string][]float32, error) {
		m := net(t, "N")
		r, err := train.Fit(ctx, m, data(200), o, j.keep)
		out := map[string][]float32{}
		for _, v := range m.Graph.Consts {
			out[v.Name] = tensor.Float32s(v.Const)
		}
		return r, out, err
	}
	whole, want, err := fit(context.Background(), o, journal{})
	if err != nil {
		t.Fatal(err)
	}
	cause, j := errors.New("enough"), journal{}
	ctx, cancel := context.WithCancelCause(context.Background())
	cut := o
	cut.Progress = func(done, _ int, _ float64) {
		if done == 40 {
			cancel(cause)
		}
	}
	if _, _, err := fit(ctx, cut, j); !errors.Is(err, cause) || len(j) < 3 {
		t.Fatalf("%v, %d results kept", err, len(j))
	}
	first := 0
	o.Progress = func(done, _ int, _ float64) {
		if first == 0 {
			first = done
		}
	}
	r, got, err := fit(context.Background(), o, j)
	if err != nil {
		t.Fatal(err)
	}
	if first < 20 || r.End != whole.End || r.Best != whole.Best {
		t.Errorf("went on with step %d, to %+v, want %+v", first, r, whole)
	}
	same(t, "resumed", got, want)
}

// Refreshed statistics are those of the values that the batch-norm reads, over all
// samples.
func TestRefresh(t *testing.T) {
	m, o := net(t, "N"), short()
	o.Held, o.Batch = 0, 64
	tr, err := train.New(context.Background(), m, data(256), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Refresh(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := tr.Store(); err != nil {
		t.Fatal(err)
	}
	mean, variance := momentsOf(t, m)
	gotMean, gotVariance := tensor.Float32s(m.Graph.Value("m1").Const), tensor.Float32s(m.Graph.Value("v1").Const)
	for i := range mean {
		if math.Abs(float64(gotMean[i])-mean[i]) > 1e-4 || math.Abs(float64(gotVariance[i])-variance[i]) > 1e-3*variance[i] {
			t.Errorf("channel %d: mean %v and variance %v, want %v and %v", i, gotMean[i], gotVariance[i], mean[i], variance[i])
		}
	}
}

// momentsOf are the mean and the variance of the first convolution's channels.
func momentsOf(t *testing.T, m *ir.Model) (mean, variance []float64) {
	t.Helper()
	b, err := patterns{n: 256}.Batch(context.Background(), 0, 256)
	if err != nil {
		t.Fatal(err)
	}
	g := *m.Graph
	g.Outputs = []*ir.Value{m.Graph.Value("a")}
	y := run(t, &g, m, b.Inputs[""])
	mean, variance = make([]float64, 8), make([]float64, 8)
	n := float64(len(y) / 8)
	for i, v := range y {
		mean[i/(side*side)%8] += float64(v) / n
	}
	for i, v := range y {
		c := i / (side * side) % 8
		variance[c] += (float64(v) - mean[c]) * (float64(v) - mean[c]) / n
	}
	return mean, variance
}
