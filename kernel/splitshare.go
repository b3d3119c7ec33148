package kernel

import "math"

// alikeSlices is how far two slices may differ in any number, relative to the
// largest of them, to count as one: a few roundings of a float32, since scales of
// outputs are often multiplied in. That is no more than what Winograd's form loses.
const alikeSlices = 1.0 / (1 << 20)

// hashSteps is into how many steps a hash divides numbers up to the largest: so few
// that slices which are alike seldom lie on both sides of a limit.
const hashSteps = 1 << 10

// ShareSlices finds slices of filters, [O][C][taps], that are multiples of each
// other, channel by channel: the first one stands for all. Slices of zeros have no
// term.
func ShareSlices(w []float32, o, c, taps int) *SplitFilters {
	f := &SplitFilters{Terms: make([][]SplitTerm, o)}
	s := newSharer(f, w, c, taps)
	for ch := range c {
		s.channel(ch)
	}
	return f
}

// ShareTaps takes filters, [O][C][taps], apart into single weights: its kernels are
// the taps of every channel, each of which it reads as it is, and terms are what is
// not zero. That pays where hardly anything is left.
func ShareTaps(w []float32, o, c, taps int) *SplitFilters {
	f := &SplitFilters{Terms: make([][]SplitTerm, o)}
	kernel := make([]int, c*taps)
	for i, v := range w {
		if v == 0 {
			continue
		}
		j := i % (c * taps)
		if kernel[j] == 0 {
			one := make([]float32, taps)
			one[j%taps] = 1
			f.Kernels = append(f.Kernels, one...)
			f.Channel = append(f.Channel, j/taps)
			kernel[j] = len(f.Channel)
		}
		f.Terms[i/(c*taps)] = append(f.Terms[i/(c*taps)], SplitTerm{kernel[j] - 1, v})
	}
	return f
}

// SampleSlices is about what ShareSlices would count, from a few channels.
func SampleSlices(w []float32, o, c, taps int) SplitCounts {
	return sample(w, o, c, taps, ShareSlices)
}

// SampleTaps is SampleSlices for ShareTaps.
func SampleTaps(w []float32, o, c, taps int) SplitCounts {
	return sample(w, o, c, taps, ShareTaps)
}

func sample(w []float32, o, c, taps int, share func(w []float32, o, c, taps int) *SplitFilters) SplitCounts {
	const most = 8
	n := min(c, most)
	some := make([]float32, 0, o*n*taps)
	for out := range o {
		for i := range n {
			ch := (2*i + 1) * c / (2 * n)
			some = append(some, w[(out*c+ch)*taps:][:taps]...)
		}
	}
	counts := share(some, o, n, taps).Counts()
	return SplitCounts{counts.Kernels * c / n, counts.Products * c / n, counts.Terms * c / n}
}

// sharer gathers the slices of one channel after the other.
type sharer struct {
	f       *SplitFilters
	w       []float32
	c, taps int
	seen    map[uint64][]int // kernels of the channel by hash
}

func newSharer(f *SplitFilters, w []float32, c, taps int) *sharer {
	return &sharer{f: f, w: w, c: c, taps: taps, seen: map[uint64][]int{}}
}

func (s *sharer) channel(ch int) {
	clear(s.seen)
	for o := range s.f.Terms {
		slice := s.w[(o*s.c+ch)*s.taps:][:s.taps]
		at := largest(slice)
		if slice[at] == 0 {
			continue
		}
		s.f.Terms[o] = append(s.f.Terms[o], s.term(ch, slice, at))
	}
}

// term is the kernel that the slice, largest at an index, is a multiple of, with the
// factor; a new one where there is none.
func (s *sharer) term(ch int, slice []float32, at int) SplitTerm {
	h := sliceHash(slice, at)
	for _, j := range s.seen[h] {
		if k := s.f.Kernels[j*s.taps:][:s.taps]; multiple(slice, k, at) {
			return SplitTerm{j, slice[at] / k[at]}
		}
	}
	j := len(s.f.Channel)
	s.f.Channel = append(s.f.Channel, ch)
	s.f.Kernels = append(s.f.Kernels, slice...)
	s.seen[h] = append(s.seen[h], j)
	return SplitTerm{j, 1}
}

// largest is the index of the first number of largest magnitude; one that is not a
// number is larger than all.
func largest(x []float32) int {
	best, most := 0, uint32(0)
	for i, v := range x {
		if m := math.Float32bits(v) &^ (1 << 31); m > most {
			best, most = i, m
		}
	}
	return best
}

// sliceHash is equal for slices that are nearly multiples of each other, but for
// those that lie beside the middle between two steps.
func sliceHash(x []float32, at int) uint64 {
	h := uint64(at)
	for _, v := range x {
		h = (h ^ uint64(int64(math.RoundToEven(float64(v)/float64(x[at])*hashSteps)))) * 0x9e3779b97f4a7c15
		h ^= h >> 29
	}
	return h
}

// multiple reports whether x is y times their ratio at an index.
func multiple(x, y []float32, at int) bool {
	a, b := float64(x[at]), float64(y[at])
	for i := range x {
		if !(math.Abs(float64(x[i])/a-float64(y[i])/b) <= alikeSlices) {
			return false
		}
	}
	return true
}
