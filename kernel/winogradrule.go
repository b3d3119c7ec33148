package kernel

// WinogradTile is the edge of the output tiles, 2 or 4, with which Winograd's
// form of the convolution is expected to be fastest; 0 where that is the direct
// form. It depends on the shape alone.
func WinogradTile(s ConvShape) int {
	if winogradFits(s, 4) != nil || s.C < 16 || s.O < 16 || s.OH()*s.OW() == 0 {
		return 0
	}
	best, edge := s.Flops()/2, 0
	for _, m := range []int{4, 2} {
		if c := winogradCost(s, m); c < best {
			best, edge = c, m
		}
	}
	return edge
}

// Costs in multiply-adds at the speed of the direct form, fitted to the ratios
// that BenchmarkWinograd measures: of transforming one value of the source and
// one of the sums, between those of AVX2 and AVX-512, and of bringing one weight
// from memory. Fewer rows than leastRows take as long as so many.
const (
	loadCost   = 10
	storeCost  = 12
	weightCost = 3
	leastRows  = 8
)

func winogradCost(s ConvShape, m int) float64 {
	tiles := float64(s.N * ((s.OH() + m - 1) / m) * ((s.OW() + m - 1) / m))
	c, o := float64(s.C), float64(s.O)
	return float64((m+2)*(m+2)) * ((max(tiles, leastRows)+weightCost)*c*o + tiles*(loadCost*c+storeCost*o))
}
