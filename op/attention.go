package op

import (
	"fmt"
	"math"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// attentionDef is scaled dot-product attention.
// https://onnx.ai/onnx/operators/onnx__Attention.html
var attentionDef = Def{
	Name: "Attention", Versions: []int{23, 24, 25}, In: Arity{3, 7}, Out: Arity{1, 4},
	Infer: inferAttention,
	Eval:  evalAttention,
}

// The values of qk_matmul_output_mode: after which step result 3 is taken.
const (
	afterProduct = iota
	afterSoftcap
	afterMask
	afterSoftmax
)

func evalAttention(c *Eval) error {
	n := c.Node
	qHeads, kvHeads := n.Int("q_num_heads", 0), n.Int("kv_num_heads", 0)
	q, k, v := c.heads(0, qHeads), c.heads(1, kvHeads), c.heads(2, kvHeads)
	if c.Has(4) != c.Has(5) {
		return fmt.Errorf("past keys and past values must be given together")
	}
	past := 0
	if c.Has(4) {
		past = c.needShape(4, -1, -1, -1, -1).Shape[2]
	}
	k, v = k.after(c, 4), v.after(c, 5)
	if err := checkHeads(q, k, v); err != nil {
		return err
	}
	if _, err := precision(n, "softmax_precision", tensor.Undefined); err != nil {
		return err
	}
	a := &attention{
		q: q, k: k, v: v, past: past, causal: n.Int("is_causal", 0) != 0,
		left: n.Int("left_window_size", -1), right: n.Int("right_window_size", -1),
	}
	a.scale = float64(n.Float("scale", float32(1/math.Sqrt(float64(q.size)))))
	a.softcap = float64(n.Float("softcap", 0))
	a.mode = n.Int("qk_matmul_output_mode", afterProduct)
	a.readMask(c, 3)
	if c.Has(6) {
		c.needShape(6, q.batch)
		a.valid = c.Ints(6)
		a.before = make([]int, q.batch)
		for b, n := range a.valid {
			a.before[b] = n - q.length // the queries are the last ones
		}
	}
	qk := []int{q.batch, q.heads, q.length, k.length}
	if len(c.Out) > 3 && n.Out[3] != nil {
		a.qk = c.zeros(qk...)
	}
	if err := a.run(c); err != nil {
		return err
	}
	kind := c.Tensor(0).Type
	c.rounded(0, kind, a.y.shape(), a.y.data)
	c.rounded(1, c.Tensor(1).Type, k.shape(), k.data)
	c.rounded(2, c.Tensor(2).Type, v.shape(), v.data)
	if a.qk != nil {
		c.rounded(3, kind, qk, a.qk)
	}
	return nil
}

// attention is one application of the operator.
type attention struct {
	q, k, v        *heads
	y              *heads
	past           int   // how many keys came before the queries
	before         []int // the same for each image; nil where it is past
	causal         bool
	left, right    int // how far a query sees; -1 is without bound
	scale, softcap float64
	mode           int
	qk             []float64 // result 3; nil when it is not wanted
	sinks          []float64 // of each head, in the denominator of the softmax; nil for none
	mask           []float64 // added to the scores
	maskStrides    [4]int
	maskLength     int
	valid          []int // number of keys of each image that are no padding
}

// readMask reads a mask operand, which broadcasts to [batch, heads, queries,
// keys] but may have fewer keys; those behind are hidden.
func (a *attention) readMask(c *Eval, operand int) {
	a.maskLength = a.k.length
	if !c.Has(operand) {
		return
	}
	t := c.Need(operand)
	if t.Rank() < 1 || t.Rank() > 4 {
		refuse("the mask is %v; one to four dimensions are needed", t)
	}
	shape := append(filled(4-t.Rank(), 1), t.Shape...)
	full := []int{a.q.batch, a.q.heads, a.q.length, a.k.length}
	full[3], a.maskLength = shape[3], shape[3]
	if out, err := broadcast(full, shape); err != nil || !slices.Equal(out, full) || shape[3] > a.k.length {
		refuse("the mask is %v, which does not broadcast to %v", t, []int{a.q.batch, a.q.heads, a.q.length, a.k.length})
	}
	copy(a.maskStrides[:], broadcastStrides(shape, full))
	a.mask = c.numbers(operand)
	if t.Type == tensor.Bool {
		for i, shown := range tensor.Data[bool](t) {
			a.mask[i] = 0
			if !shown {
				a.mask[i] = math.Inf(-1)
			}
		}
	}
}

// bias is what is added to the score of query i and key j; hidden keys get
// negative infinity.
func (a *attention) bias(b, h, i, j int) float64 {
	at := a.past + i
	if a.before != nil {
		at = a.before[b] + i
	}
	switch {
	case a.causal && j > at, a.left >= 0 && j < at-a.left, a.right >= 0 && j > at+a.right,
		a.valid != nil && j >= a.valid[b]:
		return math.Inf(-1)
	}
	return a.maskAt(b, h, i, j)
}

// maskAt is the mask alone.
func (a *attention) maskAt(b, h, i, j int) float64 {
	switch {
	case j >= a.maskLength:
		return math.Inf(-1)
	case a.mask == nil:
		return 0
	}
	return a.mask[b*a.maskStrides[0]+h*a.maskStrides[1]+i*a.maskStrides[2]+j*a.maskStrides[3]]
}

// normalise turns a row of scores of a head into shares.
func (a *attention) normalise(row []float64, head int) {
	top := maxOf(row)
	if math.IsInf(top, -1) {
		fill(row, 0) // a query that sees no key gets nothing
		return
	}
	sum := shiftedExp(row)
	if a.sinks != nil {
		sum += math.Exp(a.sinks[head] - top)
	}
	for j := range row {
		row[j] /= sum
	}
}

func (a *attention) run(c *Eval) error {
	a.y = c.newHeads(a.q.batch, a.q.heads, a.q.length, a.v.size, a.q.packed)
	row := make([]float64, a.k.length)
	keep := func(mode, at int) {
		if a.qk != nil && a.mode == mode {
			copy(a.qk[at*len(row):], row)
		}
	}
	for at := range a.q.batch * a.q.heads * a.q.length {
		b, h, i := at/a.q.length/a.q.heads, at/a.q.length%a.q.heads, at%a.q.length
		if err := c.Ctx.Err(); err != nil {
			return err
		}
		shared := h / (a.q.heads / a.k.heads)
		query := a.q.vec(b, h, i)
		for j := range row {
			row[j] = a.scale * dot(query, a.k.vec(b, shared, j))
		}
		keep(afterProduct, at)
		if a.softcap > 0 {
			for j, s := range row {
				row[j] = a.softcap * math.Tanh(s/a.softcap)
			}
		}
		keep(afterSoftcap, at)
		for j := range row {
			row[j] += a.bias(b, h, i, j)
		}
		keep(afterMask, at)
		a.normalise(row, h)
		keep(afterSoftmax, at)
		for j, p := range row {
			addScaled(a.y.vec(b, h, i), a.v.vec(b, shared, j), p)
		}
	}
	return nil
}

func inferAttention(c *Shape) error {
	n := c.Node
	batch, count, length, size := headDims(c.In[0], n.Int("q_num_heads", 0))
	_, kvCount, kvLength, keySize := headDims(c.In[1], n.Int("kv_num_heads", 0))
	_, _, _, valueSize := headDims(c.In[2], n.Int("kv_num_heads", 0))
	if !keySize.IsKnown() {
		keySize = size
	}
	total := kvLength
	if c.Has(4) {
		total = dimOf(addDim(elemOf(dimAt(c.In[4], 2)), elemOf(kvLength)))
	}
	kind := c.In[0].DType
	switch c.In[0].Rank() {
	case 4:
		c.Set(0, ir.TensorType(kind, batch, count, length, valueSize))
	case 3:
		c.Set(0, ir.TensorType(kind, batch, length, dimOf(mulDim(elemOf(count), elemOf(valueSize)))))
	case -1:
		c.Set(0, ir.UnrankedType(kind))
	default:
		return fmt.Errorf("the queries are %v; three or four dimensions are needed", c.In[0])
	}
	c.Set(1, ir.TensorType(c.In[1].DType, batch, kvCount, total, keySize))
	c.Set(2, ir.TensorType(c.In[2].DType, batch, kvCount, total, valueSize))
	c.Set(3, ir.TensorType(kind, batch, count, length, total))
	return nil
}
