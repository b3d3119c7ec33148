package format

import (
	"errors"
	"fmt"
	"math"

	"pare/tensor"
)

// Packed is a matrix of weights as kernels that keep codes take it: the element of
// code q is the level of q times Scale plus Shift.
type Packed struct {
	// Codes, in the order of the tensor, have 2, 4 or 8 bits. Below 8 bits Levels
	// says what they stand for; codes of 8 bits are levels in two's complement.
	Codes  []uint8
	Bits   int
	Levels []int8
	// Block is how many inputs share a scale, all of them where it is 0. Scale and
	// Shift are [blocks][outputs]; a nil Shift is zero.
	Block        int
	Scale, Shift []float32
}

// Pack returns a matrix whose outputs lie along axis, 0 or 1. It reports why the
// weights cannot stay codes: terms that add up, levels that are no integers of 8
// bits, scales that go another way.
func (e *Encoded) Pack(axis int) (*Packed, error) {
	if e.Orders != nil {
		return nil, errors.New("the weights are sums of terms")
	}
	if e.Codes.Rank() != 2 {
		return nil, fmt.Errorf("weights of rank %d are no matrix", e.Codes.Rank())
	}
	levels, centre, err := e.byteLevels()
	if err != nil {
		return nil, err
	}
	codes, _, err := bytesOf(e.Codes)
	if err != nil {
		return nil, err
	}
	p := &Packed{Codes: make([]uint8, len(codes))}
	p.setCodes(codes, levels)
	if err := p.setScales(e, axis, centre); err != nil {
		return nil, err
	}
	return p, nil
}

// byteLevels is what each stored code stands for before the scale, less centre.
func (e *Encoded) byteLevels() (levels [256]int8, centre int, err error) {
	bits := e.Codes.Type.Bits()
	if e.Levels == nil {
		if e.Codes.Type.IsUnsigned() {
			centre = 1 << (bits - 1)
		}
		for c := range 1 << bits {
			v := c
			if centre == 0 && c >= 1<<(bits-1) {
				v -= 1 << bits
			}
			levels[c] = int8(v - centre)
		}
		return levels, centre, nil
	}
	for c, l := range e.Levels {
		if float64(l) != math.Trunc(float64(l)) || l < -math.MaxInt8 || l > math.MaxInt8 {
			return levels, 0, fmt.Errorf("level %v is no integer of 8 bits", l)
		}
		levels[c] = int8(l)
	}
	return levels, 0, nil
}

// setCodes numbers the levels that occur, in ascending order, if there are few.
func (p *Packed) setCodes(codes []byte, levels [256]int8) {
	var seen [256]bool
	for _, c := range codes {
		seen[uint8(levels[c])] = true
	}
	var to [256]uint8
	for v := math.MinInt8; v <= math.MaxInt8; v++ {
		if seen[uint8(v)] {
			to[uint8(v)] = uint8(len(p.Levels))
			p.Levels = append(p.Levels, int8(v))
		}
	}
	switch n := len(p.Levels); {
	case n <= 4:
		p.Bits = 2
	case n <= 16:
		p.Bits = 4
	default:
		p.Bits, p.Levels = 8, nil
	}
	for i, c := range codes {
		v := uint8(levels[c])
		if p.Bits < 8 {
			v = to[v]
		}
		p.Codes[i] = v
	}
}

// setScales spreads scales over outputs, and turns zero points other than the
// centre into shifts.
func (p *Packed) setScales(e *Encoded, axis, centre int) error {
	shape, l := e.Codes.Shape, e.Spec.layout(e.Codes.Shape)
	outputs, blocks := shape[axis], 1
	at := func(_, j int) int { return min(j, l.groups-1) }
	switch {
	case l.grain == PerChannel && e.Spec.Axis != axis && l.groups > 1, l.grain == PerBlock && e.Spec.Axis == axis:
		return fmt.Errorf("scales lie along axis %d, outputs along axis %d", e.Spec.Axis, axis)
	case l.grain == PerBlock:
		p.Block, blocks = e.Spec.Block, l.blocks
		if at = func(b, j int) int { return b*outputs + j }; axis == 0 {
			at = func(b, j int) int { return j*blocks + b }
		}
	}
	scales := tensor.Data[float32](e.Scale)
	zeros := make([]int16, l.groups)
	if e.Zero != nil {
		zeros = tensor.Ints8(e.Zero)
	}
	if len(scales) != l.groups || len(zeros) != l.groups {
		return fmt.Errorf("%d scales and %d zero points for %d groups", len(scales), len(zeros), l.groups)
	}
	shift, any := make([]float32, blocks*outputs), false
	p.Scale = make([]float32, blocks*outputs)
	for i := range p.Scale {
		g := at(i/outputs, i%outputs)
		p.Scale[i], shift[i] = scales[g], float32(centre-int(zeros[g]))*scales[g]
		any = any || shift[i] != 0
	}
	if e.Levels == nil && any {
		p.Shift = shift
	}
	return nil
}
