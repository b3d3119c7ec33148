package format

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"pare/tensor"
)

// IntTerm is a term of weights as integers of 8 bits: what integer kernels
// multiply.
type IntTerm struct {
	// Rows are the output channels that have the term, ascending; nil stands for
	// all.
	Rows []int
	// Values hold these channels one after the other, each in -128..127. They
	// may be the codes themselves, and must not be changed.
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
		if len(terms) == 1 && o.Rows == nil {
			return []IntTerm{{Values: values, Scale: repeat(scale, len(channels))}}, nil
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
	scale = slices.Clone(tensor.Float64s(o.Scale))
	twice := int16(2 * o.Offset)
	if twice == 0 && o.asStored() {
		return firstAxis(tensor.Data[int8](o.Codes), outer, rows, inner), scale, nil
	}
	values = make([]int8, o.Codes.Len())
	o.Integers(func(i int, v int16) {
		if v = v<<twice + twice; v < math.MinInt8 || v > math.MaxInt8 {
			err = fmt.Errorf("a level of a term is %d, which takes more than 8 bits", v)
		}
		values[i] = int8(v)
	})
	values = firstAxis(values, outer, rows, inner)
	for i := range scale {
		scale[i] /= float64(int(1) << twice)
	}
	return values, scale, err
}

// asStored reports whether the codes are the integers themselves, in bytes.
func (e *Encoded) asStored() bool {
	return e.Codes.Type == tensor.Int8 && e.Levels == nil &&
		(e.Zero == nil || !slices.ContainsFunc(e.Zero.Bytes(), func(z byte) bool { return z != 0 }))
}

// firstAxis brings the middle one of three axes to the front; x is returned where
// it is there.
func firstAxis(x []int8, outer, rows, inner int) []int8 {
	if outer == 1 {
		return x
	}
	out := make([]int8, len(x))
	for r := range rows {
		line := out[r*outer*inner : (r+1)*outer*inner]
		if inner == 1 {
			for i := range line {
				line[i] = x[i*rows+r]
			}
			continue
		}
		for i := range outer {
			copy(line[i*inner:(i+1)*inner], x[(i*rows+r)*inner:])
		}
	}
	return out
}

// repeat is n numbers: those given, or n times the only one.
func repeat(x []float64, n int) []float64 {
	if len(x) == n {
		return x
	}
	return slices.Repeat(x[:1], n)
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
