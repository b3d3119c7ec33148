package cost

import (
	"math/bits"
	"slices"
)

// set is a hash table of numbers other than 0.
type set struct {
	slots []uint32
	shift int
}

// newSet makes room for n numbers.
func newSet(n int) set {
	size := bits.Len(uint(2 * n))
	return set{make([]uint32, 1<<size), 32 - size}
}

func (s *set) clear() { clear(s.slots) }

// add reports whether x was not in the set yet.
func (s *set) add(x uint32) bool {
	const golden = 0x9e3779b1 // spreads neighbouring numbers
	for at := x * golden >> s.shift; ; at = (at + 1) & uint32(len(s.slots)-1) {
		switch s.slots[at] {
		case x:
			return false
		case 0:
			s.slots[at] = x
			return true
		}
	}
}

// kernelSet counts distinct kernels.
type kernelSet struct {
	n, taps int
	kernels []int32 // normalised, one after the other
	slots   []int32 // kernel + 1, 0 for none
}

func newKernelSet(n, taps int) kernelSet {
	return kernelSet{n: n, taps: taps, kernels: make([]int32, n*taps), slots: make([]int32, 1<<bits.Len(uint(2*n)))}
}

// count is the number of distinct kernels in column, [n][taps], once they are
// normalised; those that are all 0 do not count.
func (s *kernelSet) count(column []float32, normalise func(dst []int32, kernel []float32) bool) (distinct int64) {
	clear(s.slots)
	for k := range s.n {
		own := s.kernels[k*s.taps:][:s.taps]
		if normalise(own, column[k*s.taps:][:s.taps]) && s.add(k, own) {
			distinct++
		}
	}
	return distinct
}

// add reports whether kernel k was not in the set yet.
func (s *kernelSet) add(k int, own []int32) bool {
	h := uint64(14695981039346656037)
	for _, x := range own {
		h = (h ^ uint64(uint32(x))) * 1099511628211
	}
	mask := len(s.slots) - 1
	for at := int(h>>32) & mask; ; at = (at + 1) & mask {
		other := int(s.slots[at]) - 1
		if other < 0 {
			s.slots[at] = int32(k + 1)
			return true
		}
		if slices.Equal(s.kernels[other*s.taps:][:s.taps], own) {
			return false
		}
	}
}
