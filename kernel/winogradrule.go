package kernel

// WinogradTile is the edge of the output tiles, 2 or 4, with which Winograd's
// form of the convolution is expected to be fastest; 0 where that is the direct
// form. It depends on the shape alone.
func WinogradTile(s ConvShape) int {
	if winogradFits(s, 4) != nil || s.C < 16 || s.O < 16 || s.OH()*s.OW() == 0 {
		return 0
	}
	best, edge := directCost(s), 0
	for _, m := range []int{4, 2} {
		if c := winogradCost(s, m); c < best {
			best, edge = c, m
		}
	}
	return edge
}

// Costs are in multiply-adds at the speed of the direct form, fitted to
// measured ratios. A value that is transformed costs as much as so many of
// them, and so does a transformed weight, which is read from memory.
const (
	loadCost   = 6.0
	storeCost  = 8.0
	weightCost = 12.0
)

func directCost(s ConvShape) float64 { return s.Flops() / 2 }

func winogradCost(s ConvShape, m int) float64 {
	tiles := float64(s.N * ((s.OH() + m - 1) / m) * ((s.OW() + m - 1) / m))
	c, o := float64(s.C), float64(s.O)
	return float64((m+2)*(m+2)) * (tiles*(c*o+loadCost*c+storeCost*o) + weightCost*c*o)
}
