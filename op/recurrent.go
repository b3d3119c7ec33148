package op

import (
	"fmt"
	"math"
	"strings"

	"pare/ir"
)

// recurrence holds the operands of a recurrent operator and walks its
// directions, images and time steps.
type recurrence struct {
	c                     *Eval
	gates, hidden, inputs int
	length, batch, dirs   int
	batchFirst            bool
	x, w, r, b            []float64
	lengths               []int // of the sequences
	functions             []func(float64) float64
	perDirection          int
	clip                  float64
	h0, c0                []float64 // initial states
}

// cell computes one step of one sequence in direction d from the input's share
// of the gates, wx, without bias. It updates h and, where there is one, the
// cell state s.
type cell func(d int, wx, h, s []float64)

// newRecurrence reads the operands: X, W, R, B, sequence_lens, initial_h.
func newRecurrence(c *Eval, gates int, defaults ...string) (*recurrence, error) {
	r := &recurrence{c: c, gates: gates, batchFirst: c.Node.Int("layout", 0) != 0}
	x := c.needShape(0, -1, -1, -1)
	r.length, r.batch, r.inputs = x.Shape[0], x.Shape[1], x.Shape[2]
	if r.batchFirst {
		r.length, r.batch = r.batch, r.length
	}
	direction := c.Node.Str("direction", "forward")
	r.dirs = 1
	switch direction {
	case "bidirectional":
		r.dirs = 2
	case "forward", "reverse":
	default:
		return nil, fmt.Errorf("direction %q is unknown; use forward, reverse or bidirectional", direction)
	}
	r.hidden = c.needShape(2, r.dirs, -1, -1).Shape[2]
	if h := c.Node.Int("hidden_size", r.hidden); h != r.hidden {
		return nil, fmt.Errorf("hidden_size is %d but the recurrent weights are %v", h, c.Tensor(2))
	}
	c.needShape(1, r.dirs, gates*r.hidden, r.inputs)
	c.needShape(2, r.dirs, gates*r.hidden, r.hidden)
	r.x, r.w, r.r = c.reals(0), c.reals(1), c.reals(2)
	if c.Has(3) {
		c.needShape(3, r.dirs, 2*gates*r.hidden)
		r.b = c.reals(3)
	}
	r.lengths = filled(r.batch, r.length)
	if c.Has(4) {
		c.needLen(4, r.batch)
		r.lengths = c.Ints(4)
		for _, n := range r.lengths {
			if n < 0 || n > r.length {
				return nil, fmt.Errorf("sequence lengths %v are not all between 0 and %d", r.lengths, r.length)
			}
		}
	}
	r.clip = float64(c.Node.Float("clip", float32(math.Inf(1))))
	r.h0 = r.initial(5)
	var err error
	r.perDirection = len(defaults)
	r.functions, err = activations(c.Node, r.dirs, defaults)
	return r, err
}

// initial reads an initial state, zeros where it is left out.
func (r *recurrence) initial(operand int) []float64 {
	if !r.c.Has(operand) {
		return r.c.zeros(r.stateShape()...)
	}
	r.c.needShape(operand, r.stateShape()...)
	return r.c.reals(operand)
}

func (r *recurrence) stateShape() []int {
	if r.batchFirst {
		return []int{r.batch, r.dirs, r.hidden}
	}
	return []int{r.dirs, r.batch, r.hidden}
}

// state is where a state tensor keeps sequence n of direction d.
func (r *recurrence) state(s []float64, d, n int) []float64 {
	at := d*r.batch + n
	if r.batchFirst {
		at = n*r.dirs + d
	}
	return s[at*r.hidden:][:r.hidden]
}

// f is activation k of direction d on a gate, with the threshold of the
// attribute clip.
func (r *recurrence) f(d, k int, v float64) float64 {
	return r.functions[d*r.perDirection+k](min(max(v, -r.clip), r.clip))
}

// run walks all sequences and stores the results. withCell says that there is a
// cell state (operand 6, result 2).
func (r *recurrence) run(step cell, withCell bool) error {
	yShape := []int{r.length, r.dirs, r.batch, r.hidden}
	if r.batchFirst {
		yShape = []int{r.batch, r.length, r.dirs, r.hidden}
	}
	y, lastH, lastC := r.c.zeros(yShape...), r.c.zeros(r.stateShape()...), r.c.zeros(r.stateShape()...)
	if withCell {
		r.c0 = r.initial(6)
	}
	wx := make([]float64, r.gates*r.hidden)
	for d := range r.dirs {
		backward := d == 1 || r.c.Node.Str("direction", "forward") == "reverse"
		for n := range r.batch {
			if err := r.c.Ctx.Err(); err != nil {
				return err
			}
			h, s := r.state(lastH, d, n), r.state(lastC, d, n)
			copy(h, r.state(r.h0, d, n))
			if withCell {
				copy(s, r.state(r.c0, d, n))
			}
			for i := range r.lengths[n] {
				t := i
				if backward {
					t = r.lengths[n] - 1 - i
				}
				at, out := t*r.batch+n, (t*r.dirs+d)*r.batch+n
				if r.batchFirst {
					at, out = n*r.length+t, (n*r.length+t)*r.dirs+d
				}
				matVec(wx, r.w[d*len(wx)*r.inputs:], r.x[at*r.inputs:][:r.inputs])
				step(d, wx, h, s)
				copy(y[out*r.hidden:], h)
			}
		}
	}
	kind := r.c.Tensor(0).Type
	r.c.rounded(0, kind, yShape, y)
	r.c.rounded(1, kind, r.stateShape(), lastH)
	if withCell {
		r.c.rounded(2, kind, r.stateShape(), lastC)
	}
	return nil
}

// recurrent is the share of the previous state h in the gates, first to behind,
// of direction d.
func (r *recurrence) recurrent(d, first, behind int, h []float64) []float64 {
	out := make([]float64, (behind-first)*r.hidden)
	matVec(out, r.r[(d*r.gates+first)*r.hidden*r.hidden:], h)
	return out
}

// bias is the input's (0) or the recurrent (1) bias of unit i of a gate.
func (r *recurrence) bias(d, which, gate, i int) float64 {
	if r.b == nil {
		return 0
	}
	return r.b[((d*2+which)*r.gates+gate)*r.hidden+i]
}

// matVec sets y to the product of w, rows of the length of x, and x.
func matVec(y, w, x []float64) {
	for i := range y {
		row := w[i*len(x):][:len(x)]
		var sum float64
		for k, v := range x {
			sum += float64(v * row[k])
		}
		y[i] = sum
	}
}

// activations reads the functions of all directions. Values of activation_alpha
// and activation_beta go to the functions that have such a parameter, in order.
func activations(n *ir.Node, dirs int, defaults []string) ([]func(float64) float64, error) {
	names := n.Strs("activations")
	if len(names) == 0 {
		for range dirs {
			names = append(names, defaults...)
		}
	}
	if len(names) < dirs*len(defaults) {
		return nil, fmt.Errorf("activations %v; %d are needed", names, dirs*len(defaults))
	}
	alphas, betas := n.Floats("activation_alpha"), n.Floats("activation_beta")
	next := func(list *[]float32, has bool, def float64) float64 {
		if !has || len(*list) == 0 {
			return def
		}
		v := (*list)[0]
		*list = (*list)[1:]
		return float64(v)
	}
	var out []func(float64) float64
	for _, name := range names {
		a, ok := gateFunctions[strings.ToLower(name)]
		if !ok {
			return nil, fmt.Errorf("activation %q is unknown", name)
		}
		alpha, beta := next(&alphas, a.hasAlpha, a.alpha), next(&betas, a.hasBeta, a.beta)
		out = append(out, func(x float64) float64 { return a.f(x, alpha, beta) })
	}
	return out, nil
}

// gateFunction is an activation with up to two parameters.
type gateFunction struct {
	f                 func(x, alpha, beta float64) float64
	hasAlpha, hasBeta bool
	alpha, beta       float64
}

var gateFunctions = map[string]gateFunction{
	"relu":      {f: func(x, _, _ float64) float64 { return max(x, 0) }},
	"tanh":      {f: func(x, _, _ float64) float64 { return math.Tanh(x) }},
	"sigmoid":   {f: func(x, _, _ float64) float64 { return sigmoid(x) }},
	"softsign":  {f: func(x, _, _ float64) float64 { return x / (1 + math.Abs(x)) }},
	"softplus":  {f: func(x, _, _ float64) float64 { return softplus(x) }},
	"affine":    {func(x, a, b float64) float64 { return a*x + b }, true, true, 1, 0},
	"leakyrelu": {func(x, a, _ float64) float64 { return max(x, 0) + a*min(x, 0) }, true, false, 0.01, 0},
	"thresholdedrelu": {func(x, a, _ float64) float64 {
		if x >= a {
			return x
		}
		return 0
	}, true, false, 1, 0},
	"scaledtanh":  {func(x, a, b float64) float64 { return a * math.Tanh(b*x) }, true, true, 1, 1},
	"hardsigmoid": {func(x, a, b float64) float64 { return min(max(a*x+b, 0), 1) }, true, true, 0.2, 0.5},
	"elu": {func(x, a, _ float64) float64 {
		if x >= 0 {
			return x
		}
		return a * math.Expm1(x)
	}, true, false, 1, 0},
}

// inferRecurrent is the shape rule of RNN, GRU and LSTM.
func inferRecurrent(c *Shape) error {
	x := c.In[0]
	dirs := ir.Known(1)
	if c.Node.Str("direction", "forward") == "bidirectional" {
		dirs = ir.Known(2)
	}
	if x.Ranked && len(x.Shape) != 3 {
		return fmt.Errorf("the input is %v; three dimensions are needed", x)
	}
	hidden := dimAt(c.In[2], 2)
	if h := c.Node.Int("hidden_size", 0); h > 0 {
		hidden = ir.Known(h)
	}
	length, batch := dimAt(x, 0), dimAt(x, 1)
	y, state := []ir.Dim{length, dirs, batch, hidden}, []ir.Dim{dirs, batch, hidden}
	if c.Node.Int("layout", 0) != 0 {
		length, batch = batch, length
		y, state = []ir.Dim{batch, length, dirs, hidden}, []ir.Dim{batch, dirs, hidden}
	}
	c.Set(0, ir.TensorType(x.DType, y...))
	c.Set(1, ir.TensorType(x.DType, state...))
	c.Set(2, ir.TensorType(x.DType, state...))
	return nil
}

// raiseRecurrent drops the attribute that said whether Y was wanted; its
// presence among the results says so.
var raiseRecurrent = map[int]func(*Raising) error{
	7: func(r *Raising) error { r.DropAttrs("output_sequence"); return nil },
}

// peepholes reads the weights from the cell state to the gates i, o and f of
// each direction, zeros where they are left out.
func (r *recurrence) peepholes(operand int) []float64 {
	if !r.c.Has(operand) {
		return make([]float64, 3*r.dirs*r.hidden)
	}
	r.c.needShape(operand, r.dirs, 3*r.hidden)
	return r.c.reals(operand)
}
