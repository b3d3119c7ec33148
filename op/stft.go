package op

import (
	"fmt"

	"pare/ir"
)

// stftDef transforms overlapping frames of a signal.
// https://onnx.ai/onnx/operators/onnx__STFT.html
var stftDef = Def{
	Name: "STFT", Versions: []int{17}, In: Arity{2, 4}, Out: Arity{1, 1},
	Infer: inferSTFT,
	Eval:  evalSTFT,
}

func evalSTFT(c *Eval) error {
	t := c.needShape(0, -1, -1, -1)
	batch, length, parts := t.Shape[0], t.Shape[1], t.Shape[2]
	if parts != 1 && parts != 2 {
		return fmt.Errorf("the signal is %v; its last dimension must be 1 (real) or 2 (complex)", t)
	}
	c.needLen(1, 1)
	step, frame := c.Ints(1)[0], length
	if c.Has(2) {
		frame = c.needShape(2, -1).Shape[0]
	}
	if c.Has(3) {
		c.needLen(3, 1)
		frame = c.Ints(3)[0]
	}
	if step < 1 || frame < 1 || frame > length {
		return fmt.Errorf("frames of %d elements at every %d do not fit a signal of %d", frame, step, length)
	}
	window := filledWith(frame, 1)
	if c.Has(2) {
		c.needLen(2, frame)
		window = c.reals(2)
	}
	frames := (length-frame)/step + 1
	bins, _ := spectrumSize(frame, false, c.Node.Int("onesided", 1) != 0)
	shape := []int{batch, frames, bins, 2}
	x, y := c.reals(0), c.zeros(shape...)
	line := make([]complex128, frame)
	for i := range batch * frames {
		if err := c.Ctx.Err(); err != nil {
			return err
		}
		for k := range line {
			at := (i/frames*length + i%frames*step + k) * parts
			line[k] = complex(x[at]*window[k], 0)
			if parts == 2 {
				line[k] = complex(x[at]*window[k], x[at+1]*window[k])
			}
		}
		for k, v := range fourier(line, false)[:bins] {
			y[(i*bins+k)*2], y[(i*bins+k)*2+1] = real(v), imag(v)
		}
	}
	c.rounded(0, t.Type, shape, y)
	return nil
}

func filledWith(n int, v float64) []float64 {
	out := make([]float64, n)
	fill(out, v)
	return out
}

func inferSTFT(c *Shape) error {
	x := c.In[0]
	out := []ir.Dim{dimAt(x, 0), ir.Unknown, ir.Unknown, ir.Known(2)}
	length, frame := dimAt(x, 1), dimAt(x, 1)
	if c.Has(2) {
		frame = dimAt(c.In[2], 0)
	}
	if c.Has(3) {
		if v, ok := c.Ints(3); ok && len(v) == 1 && v[0] > 0 {
			frame = ir.Known(v[0])
		} else if !frame.IsKnown() || !c.Has(2) {
			frame = ir.Unknown
		}
	}
	if frame.IsKnown() {
		bins, _ := spectrumSize(frame.N, false, c.Node.Int("onesided", 1) != 0)
		out[2] = ir.Known(bins)
		if step, ok := c.Ints(1); ok && len(step) == 1 && step[0] > 0 && length.IsKnown() && length.N >= frame.N {
			out[1] = ir.Known((length.N-frame.N)/step[0] + 1)
		}
	}
	c.Set(0, ir.TensorType(x.DType, out...))
	return nil
}
