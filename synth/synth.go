package synth

import (
	"context"
	"errors"
	"math"

	"pare/calib"
	"pare/dataset"
	"pare/grad"
	"pare/grad/optim"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// ErrUnknown reports a network whose batch-norms left nothing to go by.
var ErrUnknown = errors.New("the network has no batch-norms and none left statistics")

// Options say how pictures are made. The zero value has usable defaults.
type Options struct {
	Count   int     // pictures; 0 for 128
	Steps   int     // of descent for every batch; 0 for 60
	Rate    float64 // of Adam, relative to half the range of the input; 0 for 0.05
	Seed    uint64
	Threads int // results do not depend on it
	// Done is called after every step with the share that is done; it may be nil.
	Done func(done, total int)
}

func (o Options) filled() Options {
	if o.Count == 0 {
		o.Count = 128
	}
	if o.Steps == 0 {
		o.Steps = 60
	}
	if o.Rate == 0 {
		o.Rate = 0.05
	}
	if o.Done == nil {
		o.Done = func(int, int) {}
	}
	return o
}

// mostBytes bounds the memory that pictures take, mostFloats that of what the
// network computes of a batch where batch-norms stood.
const (
	mostBytes  = 48 << 20
	mostFloats = 12 << 20
)

// Pictures makes samples for m's input, within the declared range lo to hi (one number
// or one per channel), of which the network's channels have the means and deviations
// that its batch-norms remember, folded ones included [cai20]. It starts from
// calib.Noise and descends along gradients of the input, batch by batch, and keeps of
// every batch the pictures that came closest. It makes fewer than asked for where they
// would take too much memory. ErrUnknown says that there is nothing to go by.
//
// [cai20] ZeroQ: A Novel Zero Shot Quantization Framework, arXiv:2001.00281
func Pictures(ctx context.Context, m *ir.Model, lo, hi []float64, o Options) (dataset.Set, error) {
	o = o.filled()
	start, err := calib.Noise(m, lo, hi, o.Count, o.Seed)
	if err != nil {
		return nil, err
	}
	if _, err := op.Infer(m); err != nil {
		return nil, err
	}
	d := &descent{o: o, m: m, targets: targets(m)}
	if len(d.targets) == 0 {
		return nil, ErrUnknown
	}
	if err := d.open(lo, hi); err != nil {
		return nil, err
	}
	return d.all(ctx, start)
}

// descent makes pictures of one network.
type descent struct {
	o       Options
	m       *ir.Model
	targets []*target
	p       *grad.Program
	lo, hi  []float32 // by channel
	rate    float64
	limit   int // pictures of a batch, 0 until the first
}

// open prepares gradients and ranges.
func (d *descent) open(lo, hi []float64) (err error) {
	outputs := make([]*ir.Value, len(d.targets))
	for i, t := range d.targets {
		outputs[i] = t.value
	}
	for i := range lo {
		d.lo, d.hi = append(d.lo, float32(lo[i])), append(d.hi, float32(hi[i]))
		d.rate += d.o.Rate * (hi[i] - lo[i]) / 2 / float64(len(lo))
	}
	d.p, err = grad.New(d.m, grad.Options{Inputs: []*ir.Value{input(d.m)}, Outputs: outputs, Threads: d.o.Threads})
	return err
}

// input is what samples are fed to.
func input(m *ir.Model) *ir.Value {
	for _, v := range m.Graph.Inputs {
		if v.Const == nil {
			return v
		}
	}
	return nil
}

// all makes the pictures, a batch at a time.
func (d *descent) all(ctx context.Context, start dataset.Set) (dataset.Set, error) {
	out := &pictures{}
	batch := d.batch()
	count := start.Len()
	for at := 0; at < count; at += batch {
		b, err := start.Batch(ctx, at, min(at+batch, count))
		if err != nil {
			return nil, err
		}
		x := b.Inputs[""]
		count = min(count, max(batch, mostBytes/(4*x.Len()/x.Shape[0])/batch*batch))
		done := func(step int) { d.o.Done(at/batch*d.o.Steps+step, (count+batch-1)/batch*d.o.Steps) }
		if err := d.descend(ctx, x, done); err != nil {
			return nil, err
		}
		out.append(x)
	}
	return out, nil
}

// batch is how many pictures are made at a time: as many as the network takes, or as
// memory allows.
func (d *descent) batch() int {
	if n := ir.FixedBatch(d.m.Graph.Inputs); n > 0 {
		return n
	}
	each := 0
	for _, t := range d.targets {
		each += t.elements
	}
	return min(max(mostFloats/max(1, each), 2), 32)
}

// descend changes the pictures x in place.
func (d *descent) descend(ctx context.Context, x *tensor.Tensor, done func(step int)) error {
	data := tensor.Data[float32](x)
	best, least := append([]float32(nil), data...), math.Inf(1)
	slope := make([]float32, len(data))
	adam, err := optim.New("adam", []optim.Group{{Params: [][]float32{data}, Grads: [][]float32{slope}}}, optim.Options{Threads: d.o.Threads})
	if err != nil {
		return err
	}
	for step := range d.o.Steps {
		loss, err := d.slope(ctx, x, slope)
		if err != nil {
			return err
		}
		if loss < least {
			least = loss
			copy(best, data)
		}
		adam.Step(d.rate * optim.Cosine(step, d.o.Steps))
		d.clamp(x)
		done(step + 1)
	}
	copy(data, best)
	return nil
}

// slope is the loss of pictures, and its gradient.
func (d *descent) slope(ctx context.Context, x *tensor.Tensor, slope []float32) (loss float64, err error) {
	got, err := d.p.Forward(ctx, []*tensor.Tensor{x})
	if err != nil {
		return 0, err
	}
	dOut := make([]*tensor.Tensor, len(got))
	for i, y := range got {
		part := 0.0
		if dOut[i], part, err = d.targets[i].miss(y); err != nil {
			return 0, err
		}
		loss += part
	}
	if err := d.p.Backward(ctx, dOut); err != nil {
		return 0, err
	}
	copy(slope, tensor.Data[float32](d.p.InputGrad(0)))
	return loss, nil
}

// clamp keeps pictures within the range of the input.
func (d *descent) clamp(x *tensor.Tensor) {
	data, axis := tensor.Data[float32](x), channelAxis(x.Shape)
	inner := tensor.Len(x.Shape[axis+1:])
	for i := range data {
		c := 0
		if len(d.lo) > 1 {
			c = i / inner % x.Shape[axis]
		}
		data[i] = min(max(data[i], d.lo[c]), d.hi[c])
	}
}

// channelAxis is where a batch of pictures has its channels, as calib.Noise has it.
func channelAxis(shape []int) int {
	if len(shape) == 4 && shape[1] > 4 && shape[3] <= 4 {
		return 3
	}
	return 1
}
