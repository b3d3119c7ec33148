package kernel

// WinogradTile is the edge of the output tiles, 2 or 4, with which Winograd's
// form of the convolution is expected to be fastest; 0 where that is the direct
// form. It depends on the shape alone. Measured on one core of a Zen 4, by
// AVX-512 and by AVX2, times as fast as the direct form:
//
//	56x56, 64 to 64 channels, tiles of 4    3.3  2.7
//	28x28, 128 to 128, tiles of 4           3.4  3.1
//	14x14, 256 to 256, tiles of 4           2.9  2.5 (tiles of 2: 2.0, 1.9)
//	7x7, 512 to 512, tiles of 2             1.6  1.5 (tiles of 4: 1.2, 1.2)
//	32x32, 16 to 16, tiles of 4             1.5  1.4
//	16x16, 32 to 32, tiles of 4             1.9  1.7
//	8x8, 64 to 64, tiles of 2               1.7  1.6 (tiles of 4: 1.2, 1.3)
//	28x28, 128 to 32, tiles of 4            2.8  2.6
//	7x7, 128 to 32, tiles of 2              1.2  1.2
//	56x56, 45 to 45, tiles of 4             2.9  2.5
//	14x14, 179 to 179, tiles of 4           2.6  2.3 (tiles of 2: 2.0, 1.8)
//	32x32, 11 to 11, tiles of 4             1.4  1.3
//	32x32, 8 to 8, tiles of 4               0.8  0.9
func WinogradTile(s ConvShape) int {
	if s.checkWinograd(4) != nil || s.C <= fewChannels || s.O <= fewChannels || s.OH()*s.OW() == 0 {
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

// fewChannels are too few to pay for transforms.
const fewChannels = 8

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

// winogradGradTile is WinogradTile for the gradient of the weights. Measured as there,
// times as fast as the direct form, for batches:
//
//	4x56x56, 64 to 64 channels, tiles of 4    3.0  2.6 (tiles of 2: 1.8, 1.7)
//	8x28x28, 128 to 128, tiles of 4           2.5  2.2
//	8x14x14, 256 to 256, tiles of 4           2.1  2.0 (tiles of 2: 1.6, 1.6)
//	16x7x7, 512 to 512, tiles of 4            1.9  1.9 (tiles of 2: 1.4, 1.7)
//	32x32x32, 16 to 16, tiles of 4            2.1  1.8
//	32x16x16, 32 to 32, tiles of 4            2.7  2.4
//	32x8x8, 64 to 64, tiles of 4              3.0  2.6
//	1x14x14, 256 to 256, tiles of 2           1.5  1.4 (tiles of 4: 1.4, 1.0)
//	1x7x7, 512 to 512, tiles of 2             0.9  0.8
func winogradGradTile(s ConvShape) int {
	if s.checkWinograd(4) != nil || s.C <= fewChannels || s.O <= fewChannels || s.OH()*s.OW() == 0 {
		return 0
	}
	best, edge := s.Flops()/2, 0
	for _, m := range []int{4, 2} {
		g, err := newWinogradGrad(s, m)
		if err != nil || g.sliceFloats() > mostGradFloats {
			continue
		}
		if c := g.cost(); c < best {
			best, edge = c, m
		}
	}
	return edge
}

// sumCost is what it takes to hold one sum of a slice in memory and to transform it, in
// the units of winogradCost.
const sumCost = 25

func (g *winogradGrad) cost() float64 {
	c, o, tiles := float64(g.wino.s.C), float64(g.wino.s.O), float64(g.tiles)
	return float64(g.wino.taps()) * ((tiles+sumCost*float64(g.slices))*c*o +
		tiles*(loadCost*c*float64(g.panelParts)+storeCost*o))
}
