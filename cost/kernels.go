package cost

import "slices"

// kernelSet counts distinct kernels of one input, up to their sign.
type kernelSet struct {
	taps  int
	own   []uint32 // kernels whose first weight other than 0 is positive, one after the other
	slots []int32  // kernel + 1, by hash; 0 for none
}

func newKernelSet(n, taps int) kernelSet {
	return kernelSet{taps: taps, own: make([]uint32, n*taps), slots: make([]int32, tableSize(n))}
}

// nonZero is the number of kernels with a weight other than 0.
func (s *kernelSet) nonZero(w []uint32) (n int64) {
	for k := 0; k < len(w); k += s.taps {
		if slices.ContainsFunc(w[k:k+s.taps], func(b uint32) bool { return b&^sign != 0 }) {
			n++
		}
	}
	return n
}

// count is the number of distinct kernels that are not all 0.
func (s *kernelSet) count(w []uint32) (distinct int64) {
	clear(s.slots)
	for k := 0; k*s.taps < len(w); k++ {
		own := s.own[k*s.taps:][:s.taps]
		if positive(own, w[k*s.taps:][:s.taps]) && s.add(k, own) {
			distinct++
		}
	}
	return distinct
}

// positive writes the kernel, or its negative, so that the first weight other than
// 0 is positive; it reports false for a kernel of zeros.
func positive(dst, kernel []uint32) bool {
	flip, found := uint32(0), false
	for t, b := range kernel {
		if b&^sign == 0 {
			dst[t] = 0
			continue
		}
		if !found {
			flip, found = b&sign, true
		}
		dst[t] = b ^ flip
	}
	return found
}

// add reports whether kernel k was not in the set yet.
func (s *kernelSet) add(k int, own []uint32) bool {
	h := uint64(1)
	for _, b := range own {
		h = (h ^ uint64(b)) * 0x9e3779b97f4a7c15
		h ^= h >> 32
	}
	mask := len(s.slots) - 1
	for at := int(h) & mask; ; at = (at + 1) & mask {
		other := int(s.slots[at]) - 1
		if other < 0 {
			s.slots[at] = int32(k + 1)
			return true
		}
		if slices.Equal(s.own[other*s.taps:][:s.taps], own) {
			return false
		}
	}
}
