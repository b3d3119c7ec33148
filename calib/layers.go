package calib

import (
	"math"
	"runtime"

	"pare/internal/par"
	"pare/ir"
	"pare/tensor"
)

// batchNorm: a channel is normal with the shift as mean and the scale as
// deviation.
func batchNorm(w *walk, n *ir.Node) (*state, string) { return w.normalised(n, 1) }

// layerNorm normalises along the last axis.
func layerNorm(w *walk, n *ir.Node) (*state, string) {
	axis := n.Int("axis", -1)
	rank := n.In[0].Type.Rank()
	if axis < 0 && rank > 0 {
		axis += rank
	}
	if axis < 0 || (rank > 0 && axis != rank-1) {
		return nil, "it normalises over several axes, or its rank is not known"
	}
	return w.normalised(n, axis)
}

func (w *walk) normalised(n *ir.Node, axis int) (*state, string) {
	if len(n.In) < 2 || constOf(n.In[1]) == nil {
		return nil, "its scale is computed"
	}
	std := tensor.Float64s(constOf(n.In[1]))
	mean := make([]float64, len(std))
	if len(n.In) > 2 && n.In[2] != nil {
		c := constOf(n.In[2])
		if c == nil || c.Len() != len(std) {
			return nil, "its shift is computed"
		}
		copy(mean, tensor.Float64s(c))
	}
	for c := range std {
		std[c] = math.Abs(std[c])
	}
	return w.normalFrom(n, axis, mean, std, "normalisation "+n.Out[0].Name), ""
}

// linear is the rule of Conv, Gemm and MatMul by a constant: means go through
// the weights, variances through their squares.
func linear(w *walk, n *ir.Node) (*state, string) {
	s, why := w.operand(n, 0)
	if s == nil {
		return nil, why
	}
	if w.guesses[n.In[0]] >= maxGuesses {
		return nil, "its layer has no batch-norm, nor has anything near before it"
	}
	l, why := weightsOf(n, s)
	if why != "" {
		return nil, why
	}
	mean, std := l.moments(s)
	return w.normalFrom(n, l.axis, mean, std, "weights of "+n.Out[0].Name), ""
}

// moments are those of what the layer computes of s.
func (l *dense) moments(s *state) (mean, std []float64) {
	mean, std = make([]float64, l.out), make([]float64, l.out)
	rows := l.out / l.groups
	par.Each((l.out+momentRows-1)/momentRows, runtime.GOMAXPROCS(0), func(k int) {
		from, to := k*momentRows, min((k+1)*momentRows, l.out)
		for from < to { // rows of one group
			upto := min(to, (from/rows+1)*rows)
			l.add(s, from/rows*l.in, from, mean[from:upto], std[from:upto])
			from = upto
		}
	})
	for o := range mean {
		mean[o], std[o] = mean[o]+l.bias(o), math.Sqrt(std[o])
	}
	return mean, std
}

// momentRows is how many rows are summed up at a time.
const momentRows = 64

// add adds up means, and variances, of the rows of one group from row first on,
// which read the channels from c on.
func (l *dense) add(s *state, c, first int, mean, variance []float64) {
	for i := range l.in {
		at := 0
		if len(s.Mean) > 1 {
			at = c + i
		}
		m, d := s.Mean[at], s.Std[at]
		for k := range mean {
			w1, w2 := l.sums(first+k, i)
			mean[k] += w1 * m
			variance[k] += w2 * d * d
		}
	}
}

// matMul is linear, and the rule of attention: a product with shares of one, as
// Softmax gives them, is a weighted mean of rows and stays within their range.
func matMul(w *walk, n *ir.Node) (*state, string) {
	if len(n.In) != 2 || constOf(n.In[1]) != nil || !sharesOfOne(n.In[0]) {
		return linear(w, n)
	}
	s, why := w.operand(n, 1)
	if s == nil {
		return nil, why
	}
	if rank := n.In[1].Type.Rank(); rank < 0 || s.Axis == rank-2 {
		return collapse(s), "" // the axis that is summed over
	}
	return newRoot(s.Stats), ""
}

// sharesOfOne reports whether v is the result of a Softmax over its last axis,
// moved about at most.
func sharesOfOne(v *ir.Value) bool {
	n := v.Producer()
	for n != nil && (n.Op == "Dropout" || n.Op == "Identity" || n.Op == "Cast") {
		v = n.In[0]
		n = v.Producer()
	}
	if n == nil || n.Op != "Softmax" {
		return false
	}
	axis, rank := n.Int("axis", -1), v.Type.Rank()
	return axis == -1 || axis == rank-1
}

// dense describes constant weights: out rows of in channels per group.
type dense struct {
	out, in, groups, axis int
	sums                  func(o, i int) (sum, squares float64) // over the taps of one channel
	bias                  func(o int) float64
}

func weightsOf(n *ir.Node, s *state) (dense, string) {
	if len(n.In) < 2 || constOf(n.In[1]) == nil || constOf(n.In[1]).Rank() < 2 {
		return dense{}, "its weights are computed"
	}
	c := constOf(n.In[1])
	x, rank := tensor.Float32s(c), c.Rank()
	d := dense{groups: 1, axis: 1, bias: func(int) float64 { return 0 }}
	switch n.Op {
	case "Conv":
		d.groups = max(1, n.Int("group", 1))
		taps := tensor.Len(c.Shape[2:])
		d.out, d.in = c.Shape[0], c.Shape[1]
		d.sums = func(o, i int) (sum, squares float64) {
			for _, v := range x[(o*d.in+i)*taps:][:taps] {
				sum += float64(v)
				squares += float64(v) * float64(v)
			}
			return sum, squares
		}
	default: // one weight per pair of channels, [in, out] or transposed
		d.in, d.out = c.Shape[rank-2], c.Shape[rank-1]
		so, si := 1, d.out
		if n.Int("transB", 0) == 1 {
			d.in, d.out = d.out, d.in
			so, si = d.in, 1
		}
		if rank > 2 || n.Int("transA", 0) == 1 || n.Float("alpha", 1) != 1 || n.Float("beta", 1) != 1 {
			return d, "its weights have a form without a rule"
		}
		if r := n.In[0].Type.Rank(); r > 0 {
			d.axis = r - 1
		}
		if s.Axis >= 0 && len(s.Mean) > 1 && s.Axis != d.axis {
			return d, "the channels of its operand lie along another axis"
		}
		d.sums = func(o, i int) (sum, squares float64) {
			v := float64(x[o*so+i*si])
			return v, v * v
		}
	}
	if d.out%d.groups != 0 || (len(s.Mean) > 1 && len(s.Mean) != d.in*d.groups) {
		return d, "its operand has another number of channels"
	}
	if len(n.In) > 2 && n.In[2] != nil {
		b := constOf(n.In[2])
		if b == nil || (b.Len() != d.out && b.Len() != 1) {
			return d, "its bias is computed"
		}
		y := tensor.Float64s(b)
		d.bias = func(o int) float64 { return y[min(o, len(y)-1)] }
	}
	return d, ""
}
