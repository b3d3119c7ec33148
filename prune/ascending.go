package prune

import (
	"math"
	"slices"
)

// ascending returns the numbers in order: large lists by their bytes, from the
// last to the first, which takes a time in proportion to their number.
func ascending(w []float32) []float32 {
	if len(w) < 1<<10 {
		out := slices.Clone(w)
		slices.Sort(out)
		return out
	}
	a, b := make([]uint32, len(w)), make([]uint32, len(w))
	for i, v := range w {
		a[i] = key(v)
	}
	for shift := 0; shift < 32; shift += 8 {
		byByte(b, a, shift)
		a, b = b, a
	}
	out := make([]float32, len(w))
	for i, k := range a {
		out[i] = math.Float32frombits(k ^ (^uint32(int32(k)>>31) | 1<<31))
	}
	return out
}

// key orders like v: the sign is turned, and below 0 all other bits are.
func key(v float32) uint32 {
	b := math.Float32bits(v)
	return b ^ (uint32(int32(b)>>31) | 1<<31)
}

// byByte sorts by the byte above shift, otherwise keeping the order.
func byByte(dst, src []uint32, shift int) {
	var at [257]int
	for _, k := range src {
		at[k>>shift&255+1]++
	}
	for i := range 256 {
		at[i+1] += at[i]
	}
	for _, k := range src {
		d := k >> shift & 255
		dst[at[d]] = k
		at[d]++
	}
}
