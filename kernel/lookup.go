package kernel

// Lookup is a function of one number that is constant on equal steps: its value
// at x is that of step trunc(clamp(x·Factor + Offset)), each operation rounded
// to float32. A number that is none counts as the least.
type Lookup struct {
	Factor, Offset float32
	Values         []float32 // by step, at least one
}

// Run applies the function element by element; dst may be src.
func (t *Lookup) Run(dst, src []float32) {
	factor, offset, values := t.Factor, t.Offset, t.Values
	last := float32(len(values) - 1)
	dst = dst[:len(src)]
	for i, x := range src {
		u := float32(x*factor) + offset
		if !(u > 0) {
			u = 0
		} else if u > last {
			u = last
		}
		dst[i] = values[int(u)]
	}
}
