package kernel

// phase is a class of source positions along one axis, those of one residue modulo
// the stride. They see the same taps of the filter: position i of the class, source
// position residue + i·stride, reaches output first + i + t·step by taps[t].
type phase struct {
	taps     []int
	first, n int
}

// phases lists the classes of an axis and the step that they share.
func phases(in, k, stride, dil, pad int) (list []phase, step int) {
	for r := range stride {
		p := phase{n: max(0, (in-r+stride-1)/stride)}
		for tap := k - 1; tap >= 0; tap-- {
			if at := r + pad - tap*dil; at%stride == 0 {
				if p.taps = append(p.taps, tap); len(p.taps) == 1 {
					p.first = at / stride
				}
			}
		}
		list = append(list, p)
	}
	return list, dil / gcd(dil, stride)
}

// reachOf bounds first + t·step over all taps of all classes; low is above high
// where there are none.
func reachOf(list []phase, step int) (low, high int) {
	low = 1
	for _, p := range list {
		if n := len(p.taps); n > 0 {
			last := p.first + (n-1)*step
			if low > high {
				low, high = p.first, last
			}
			low, high = min(low, p.first), max(high, last)
		}
	}
	return low, high
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// turned is the convolution of stride 1 that leads from the gradient of the result
// to that of the source, with filters turned by half a turn, in and out swapped.
func (s ConvShape) turned() ConvShape {
	t := s
	t.H, t.W, t.C, t.O = s.OH(), s.OW(), s.O, s.C
	t.SrcStride, t.DstStride, t.ResStride = s.DstStride, s.SrcStride, s.SrcStride
	reachH, reachW := (s.KH-1)*s.DilH, (s.KW-1)*s.DilW
	t.PadT, t.PadL = reachH-s.PadT, reachW-s.PadL
	t.PadB, t.PadR = s.H+reachH-t.H-t.PadT, s.W+reachW-t.W-t.PadL
	return t
}
