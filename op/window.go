package op

import (
	"fmt"
	"math"

	"pare/ir"
	"pare/tensor"
)

// blackmanWindowDef is 0.42 − 0.5 cos x + 0.08 cos 2x.
// https://onnx.ai/onnx/operators/onnx__BlackmanWindow.html
var blackmanWindowDef = Def{
	Name: "BlackmanWindow", Versions: []int{17}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: inferWindow, Eval: window(0.42, 0.5, 0.08),
}

// hannWindowDef is 0.5 − 0.5 cos x. https://onnx.ai/onnx/operators/onnx__HannWindow.html
var hannWindowDef = Def{
	Name: "HannWindow", Versions: []int{17}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: inferWindow, Eval: window(0.5, 0.5, 0),
}

// hammingWindowDef is 25/46 − 21/46 cos x.
// https://onnx.ai/onnx/operators/onnx__HammingWindow.html
var hammingWindowDef = Def{
	Name: "HammingWindow", Versions: []int{17}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: inferWindow, Eval: window(25.0/46, 21.0/46, 0),
}

// window evaluates a − b cos x + d cos 2x at equal steps of a full turn.
func window(a, b, d float64) func(c *Eval) error {
	return func(c *Eval) error {
		t, err := dtypeAttr(c.Node, "output_datatype", tensor.Float32)
		if err != nil {
			return err
		}
		n := c.Int(0)
		if n < 0 {
			return fmt.Errorf("a window of length %d", n)
		}
		turn := n
		if c.Node.Int("periodic", 1) == 0 {
			turn = max(n-1, 1)
		}
		values := tensor.Data[float64](c.New(tensor.Float64, n))
		for i := range values {
			x := 2 * math.Pi * float64(i) / float64(turn)
			values[i] = a - float64(b*math.Cos(x)) + float64(d*math.Cos(2*x))
		}
		out, err := tensor.FromFloat64s(t, []int{n}, values)
		c.Set(0, out)
		return err
	}
}

func inferWindow(c *Shape) error {
	t, err := dtypeAttr(c.Node, "output_datatype", tensor.Float32)
	n := ir.Unknown
	if elems, ok := c.Data(0); ok && len(elems) == 1 {
		n = dimOf(elems[0])
	}
	c.Set(0, ir.TensorType(t, n))
	return err
}

// melWeightMatrixDef maps the bins of a Fourier transform to overlapping
// triangles, evenly spaced on the mel scale.
// https://onnx.ai/onnx/operators/onnx__MelWeightMatrix.html
var melWeightMatrixDef = Def{
	Name: "MelWeightMatrix", Versions: []int{17}, In: Arity{5, 5}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		t, err := dtypeAttr(c.Node, "output_datatype", tensor.Float32)
		rows, cols := ir.Unknown, ir.Unknown
		if n, ok := c.Ints(1); ok && len(n) == 1 && n[0] >= 0 {
			rows = ir.Known(n[0]/2 + 1)
		}
		if n, ok := c.Data(0); ok && len(n) == 1 {
			cols = dimOf(n[0])
		}
		c.Set(0, ir.TensorType(t, rows, cols))
		return err
	},
	Eval: func(c *Eval) error {
		t, err := dtypeAttr(c.Node, "output_datatype", tensor.Float32)
		if err != nil {
			return err
		}
		bands, length, rate := c.Int(0), c.Int(1), c.Int(2)
		if bands < 0 || length < 0 || rate <= 0 {
			return fmt.Errorf("%d bands, transform of length %d, %d samples a second", bands, length, rate)
		}
		mel := func(hertz float64) float64 { return 2595 * math.Log10(1+hertz/700) }
		low, high := mel(c.Float(3)), mel(c.Float(4))
		step := (high - low) / float64(bands+2)
		rows := length/2 + 1
		out := c.New(tensor.Float64, rows, bands)
		edge := func(i int) (int, error) {
			hertz := 700 * (math.Pow(10, (low+float64(float64(i)*step))/2595) - 1)
			bin := math.Floor(float64(length+1) * hertz / float64(rate))
			if !(bin >= 0 && bin < float64(rows)) {
				return 0, fmt.Errorf("band edge at %g Hz lies outside the %d bins", hertz, rows)
			}
			return int(bin), nil
		}
		for i := range bands {
			var e [3]int
			for k := range e {
				if e[k], err = edge(i + k); err != nil {
					return err
				}
			}
			triangle(tensor.Data[float64](out), i, bands, e)
		}
		converted, err := tensor.Convert(out, t, tensor.Options{})
		c.Set(0, converted)
		return err
	},
}

// triangle draws band i: up from the first edge to 1 at the second, down to the
// third.
func triangle(y []float64, i, bands int, edge [3]int) {
	left, centre, right := edge[0], edge[1], edge[2]
	if left == centre {
		y[centre*bands+i] = 1
	}
	for j := left; j <= centre && left < centre; j++ {
		y[j*bands+i] = float64(j-left) / float64(centre-left)
	}
	for j := centre; j < right; j++ {
		y[j*bands+i] = float64(right-j) / float64(right-centre)
	}
}
