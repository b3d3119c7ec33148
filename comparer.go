package pare

import (
	"context"
	"fmt"
	"slices"

	"pare/dataset"
	"pare/eval"
	"pare/ir"
	"pare/tensor"
)

// comparer runs the original, the model, and the model cut at the points.
type comparer struct {
	original, model, cut *Session
	inputs               []*ir.Value
	output               string
	points               []point
	accumulated, alone   []energy
	final                energy
}

func newComparer(ctx context.Context, a, b *ir.Model, points []point, threads int) (*comparer, error) {
	c := &comparer{
		points: points, inputs: b.Graph.Inputs, output: b.Graph.Outputs[0].Name,
		accumulated: make([]energy, len(points)), alone: make([]energy, len(points)),
	}
	var err error
	if c.original, err = watching(ctx, a, points, threads); err != nil {
		return nil, fmt.Errorf("the original: %w", err)
	}
	if c.model, err = watching(ctx, b, points, threads); err != nil {
		return nil, err
	}
	cut, err := cutAt(b, points)
	if err != nil {
		return nil, err
	}
	c.cut, err = New(cut).NewSession(ctx, SessionOptions{Threads: threads})
	return c, err
}

// watching is a session that returns the results at the points, too.
func watching(ctx context.Context, m *ir.Model, points []point, threads int) (*Session, error) {
	var extra []string
	for _, p := range points {
		if !m.Graph.IsOutput(m.Graph.Value(p.value)) {
			extra = append(extra, p.value)
		}
	}
	return New(m).NewSession(ctx, SessionOptions{Threads: threads, Extra: extra})
}

// Samples and batch of comparisons where nothing is said.
const (
	compareSamples = 64
	compareBatch   = 8
)

// all feeds every sample.
func (c *comparer) all(ctx context.Context, m *Model, o CompareOptions, out *Comparison) error {
	if o.Data == nil {
		in, notes, err := m.RandomInputs(o.Random)
		if err != nil {
			return err
		}
		out.Samples, out.Notes = max(1, o.Random.Batch), append(notes, "measured on random inputs; real data tell more")
		return c.batch(ctx, in)
	}
	if o.Samples <= 0 {
		o.Samples = compareSamples
	}
	if o.Batch <= 0 {
		o.Batch = compareBatch
	}
	set := dataset.Head(o.Data, o.Samples)
	out.Samples = set.Len()
	for lo := 0; lo < set.Len(); lo += o.Batch {
		hi := min(lo+o.Batch, set.Len())
		b, err := set.Batch(ctx, lo, hi)
		if err != nil {
			return err
		}
		in, notes, err := eval.Bind(c.inputs, b, hi-lo)
		if err != nil {
			return err
		}
		out.Notes = notes
		if err := c.batch(ctx, in); err != nil {
			return err
		}
		if o.Progress != nil {
			o.Progress("comparison", hi, set.Len())
		}
	}
	return nil
}

// batch runs the three networks on one batch.
func (c *comparer) batch(ctx context.Context, in map[string]*tensor.Tensor) error {
	want, err := c.original.Run(ctx, in)
	if err != nil {
		return fmt.Errorf("the original: %w", err)
	}
	got, err := c.model.Run(ctx, in)
	if err != nil {
		return err
	}
	for i, p := range c.points {
		if err := c.accumulated[i].add(got[p.value], want[p.value]); err != nil {
			return fmt.Errorf("layer %s: %w", p.layer, err)
		}
	}
	if want[c.output] != nil {
		if err := c.final.add(got[c.output], want[c.output]); err != nil {
			return fmt.Errorf("output %s: %w", c.output, err)
		}
	}
	all := map[string]*tensor.Tensor{}
	for _, v := range c.cut.Inputs() {
		if t := in[v.Name]; t != nil {
			all[v.Name] = t
		} else if t := want[v.Name]; t != nil {
			all[v.Name] = t
		}
	}
	alone, err := c.cut.Run(ctx, all)
	if err != nil {
		return fmt.Errorf("layers on the original's values: %w", err)
	}
	for i, p := range c.points {
		if err := c.alone[i].add(alone[p.value+cutSuffix], want[p.value]); err != nil {
			return fmt.Errorf("layer %s: %w", p.layer, err)
		}
	}
	return nil
}

// energy sums up the energies of a signal and of its error.
type energy struct{ signal, noise float64 }

func (e *energy) add(got, want *tensor.Tensor) error {
	if got == nil || want == nil || !slices.Equal(got.Shape, want.Shape) {
		return fmt.Errorf("results cannot be compared: %v and %v", got, want)
	}
	x := tensor.Float32s(got)
	for i, w := range tensor.Float32s(want) {
		d := float64(x[i]) - float64(w)
		e.signal += float64(w) * float64(w)
		e.noise += d * d
	}
	return nil
}

func (e energy) snr() float64 { return eval.SNR(e.signal, e.noise) }

// relative is the noise as a share of the signal.
func (e energy) relative() float64 {
	if e.noise == 0 || e.signal == 0 {
		return 0
	}
	return e.noise / e.signal
}

// A layer is guilty with so many times its even share of the noise, unless that
// is no more than the rounding of float32.
const (
	guiltShare = 2
	roundingDB = 100
)

// report fills in the layers, and names those that make much more noise than
// the others.
func (c *comparer) report(out *Comparison) {
	out.OutputSNR = c.final.snr()
	total := 0.0
	for _, e := range c.alone {
		total += e.relative()
	}
	for i, p := range c.points {
		l := LayerDrift{Name: p.layer, Op: p.op, SNR: c.accumulated[i].snr(), Isolated: c.alone[i].snr()}
		if total > 0 {
			l.Share = c.alone[i].relative() / total
		}
		out.Layers = append(out.Layers, l)
		if l.Share*float64(len(c.points)) >= guiltShare && l.Isolated < roundingDB {
			out.Guilty = append(out.Guilty, p.layer)
		}
	}
}
