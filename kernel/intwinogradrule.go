package kernel

// IntSizes is what the choice of a form asks of weights.
type IntSizes struct {
	Largest int // magnitude of a weight
	Sum     int // magnitude of a sum with codes up to 255
}

// IntSizesOf measures weights in OIHW order.
func IntSizesOf(o int, w []int8) IntSizes {
	largest := 0
	for _, v := range w {
		largest = max(largest, int(v), -int(v))
	}
	return IntSizes{largest, intWinogradSum(o, w)}
}

// IntWinogradTile is the edge of the output tiles, 2 or 4, with which Winograd's
// form on integers is expected to be fastest; 0 where that is the direct form, or
// the only one that holds the sums. It depends on the shape, the sizes of the
// weights and the processor; results do not. Weights of 8 bits, one core of a Zen
// 4, VNNI and AVX2, times as fast as the direct form:
func IntWinogradTile(s ConvShape, z IntSizes) int {
	if s.checkIntWinograd(4) != nil || s.C < 16 || s.O < 16 || s.OH()*s.OW() == 0 {
		return 0
	}
	best, edge := s.Flops()/2*pickIntTile(intTiles).paceOf(z.Largest), 0
	for _, m := range []int{4, 2} {
		if c := intWinogradCost(s, m); z.Sum < intWinogradMost(m) && c < best {
			best, edge = c, m
		}
	}
	return edge
}

// Costs in multiply-adds of words, fitted to what BenchmarkIntWinograd measures: of
// transforming one code and one sum, and of bringing one weight from memory. Fewer
// rows than intLeastRows take as long as so many.
const (
	intLoadCost   = 8
	intStoreCost  = 14
	intWeightCost = 2.5
	intLeastRows  = 4
)

// paceOf is the pace with weights up to largest: groups grow as these get smaller.
func (t *intTile) paceOf(largest int) float64 {
	switch {
	case !t.grouped || largest > 64:
		return t.pace
	case largest > 32:
		return 0.67 * t.pace
	}
	return 0.6 * t.pace
}

func intWinogradCost(s ConvShape, m int) float64 {
	tiles := float64(s.N * ((s.OH() + m - 1) / m) * ((s.OW() + m - 1) / m))
	c, o := float64(s.C), float64(s.O)
	lanes := max(32, c)
	return float64((m+2)*(m+2)) * ((max(tiles, intLeastRows)+intWeightCost)*c*o + tiles*(intLoadCost*lanes+intStoreCost*o))
}
