package kernel

import "sync"

// Range returns the least and the largest element of src and 0.
func Range(src []float32) (lo, hi float32) {
	var least [256]float32
	hi = max(0, RowMax(src))
	for i := 0; i < len(src); i += len(least) {
		part := src[i:min(i+len(least), len(src))]
		Min.Run(least[:len(part)], least[:len(part)], part)
	}
	for _, v := range least {
		lo = min(lo, v)
	}
	return lo, hi
}

// DynamicScale is the grid of ONNX DynamicQuantizeLinear for numbers in a range
// that includes 0.
func DynamicScale(lo, hi float32) Scale {
	s := Scale{Step: (hi - lo) / 255, Hi: 255}
	if hi == lo {
		s.Step = float32(1) / 255
	}
	s.Zero = int32(steps(-lo, s.Step, 0, 255))
	return s
}

var scalesPool = sync.Pool{New: func() any { return NewScales([]Scale{{}}) }}

// QuantizeOn is QuantizeU8 to a grid that is known only now.
func QuantizeOn(dst []uint8, src []float32, s Scale) {
	c := scalesPool.Get().(*Scales)
	c.step[0], c.zero[0], c.lo[0], c.hi[0] = s.Step, float32(s.Zero), float32(s.Lo-s.Zero), float32(s.Hi-s.Zero)
	QuantizeU8(dst, src, c)
	scalesPool.Put(c)
}
