package format

import (
	"errors"
	"fmt"
	"math"

	"pare/tensor"
)

// IntTerm is a term of weights as integers of 8 bits: what integer kernels
// multiply.
type IntTerm struct {
	// Rows are the output channels that have the term, ascending; nil stands for
	// all.
	Rows []int
	// Values hold these channels one after the other, each in -128..127.
	Values []int8
	// Scale has the positive scale of each of these channels.
	Scale []float64
}

// intRow is one channel of a term.
type intRow struct {
	values []int8
	scale  float64
}

// IntTerms returns the weights as the least number of terms of integers, with
// output channels along axis: where the scales of two terms of a channel are a
// power of two apart and 8 bits hold their sum, that is one term. It reports an
// error where levels are no integers of 8 bits or scales not those of channels.
func (e *Encoded) IntTerms(axis int) ([]IntTerm, error) {
	terms := e.Orders
	if terms == nil {
		terms = []Order{{Encoded: e}}
	}
	channels := make([][]intRow, e.Codes.Shape[axis])
	for _, o := range terms {
		values, scale, err := o.whole(axis)
		if err != nil {
			return nil, err
		}
		rows := o.Codes.Shape[axis]
		size := len(values) / max(1, rows)
		for i := range rows {
			c := i
			if o.Rows != nil {
				c = o.Rows[i]
			}
			channels[c] = fuse(channels[c], intRow{values[i*size : (i+1)*size], scale[min(i, len(scale)-1)]})
		}
	}
	return gatherTerms(channels), nil
}

// whole returns the integers of the term with output channels first, and their
// scales: half the steps where levels lie between integers.
func (o *Order) whole(axis int) (values []int8, scale []float64, err error) {
	if !o.Integral() {
		return nil, nil, errors.New("levels of a term are no integers")
	}
	if o.Spec.Grain == PerBlock || o.Spec.Grain == PerChannel && o.Spec.Axis != axis {
		return nil, nil, errors.New("scales of a term are not those of output channels")
	}
	shape := o.Codes.Shape
	outer, inner, rows := tensor.Len(shape[:axis]), tensor.Len(shape[axis+1:]), shape[axis]
	values = make([]int8, o.Codes.Len())
	twice := int16(2 * o.Offset)
	to, end := 0, 0 // where the run's elements go from their own index, and its end
	o.Integers(func(i int, v int16) {
		if v = v<<twice + twice; v < math.MinInt8 || v > math.MaxInt8 {
			err = fmt.Errorf("a level of a term is %d, which takes more than 8 bits", v)
		}
		if i == end {
			run := i / inner
			to, end = (run%rows*outer+run/rows)*inner-i, end+inner
		}
		values[to+i] = int8(v)
	})
	scale = tensor.Float64s(o.Scale)
	for i := range scale {
		scale[i] /= float64(int(1) << twice)
	}
	return values, scale, err
}

// fuse adds a row to the last of those before it where they make one of 8 bits,
// and appends it otherwise.
func fuse(rows []intRow, next intRow) []intRow {
	if len(rows) == 0 {
		return []intRow{next}
	}
	last := &rows[len(rows)-1]
	ratio := last.scale / next.scale
	if f, _ := math.Frexp(ratio); f != 0.5 || ratio < 1 || ratio > 256 {
		return append(rows, next)
	}
	sum := make([]int8, len(next.values))
	for i, v := range next.values {
		q := int(last.values[i])*int(ratio) + int(v)
		if q < -math.MaxInt8 || q > math.MaxInt8 {
			return append(rows, next)
		}
		sum[i] = int8(q)
	}
	*last = intRow{sum, next.scale}
	return rows
}

// gatherTerms makes a term of the first rows of all channels, one of the second
// rows of those that have one, and so on.
func gatherTerms(channels [][]intRow) []IntTerm {
	var out []IntTerm
	for k := 0; ; k++ {
		var t IntTerm
		for c, rows := range channels {
			if k < len(rows) {
				t.Rows = append(t.Rows, c)
				t.Values = append(t.Values, rows[k].values...)
				t.Scale = append(t.Scale, rows[k].scale)
			}
		}
		if len(t.Rows) == len(channels) {
			t.Rows = nil
		}
		if len(t.Scale) == 0 && k > 0 {
			return out
		}
		out = append(out, t)
	}
}
