package kernel

// SplitPays reports whether Split is expected to be faster than the dense
// convolution, in the form that is best for that, for filters of so many kernels and
// terms. It depends on shape and counts alone, and asks for a margin over what the
// constants say: with that no case of the benchmarks is slower. Measured on one core
// of a Zen 4, by AVX-512 and by AVX2, times as fast as dense for 1, 4 and 16 kernels
// per channel, and for 4 where half of the slices are zero:
//
//	32x32, 16 to 16 channels         1.2  1.0   -   1.1    1.4  1.0   -   1.1
//	8x8, 64 to 64                    1.9  1.6  0.8  2.2    2.3  1.8  1.0  2.4
//	56x56, 64 to 64                  1.4  1.2  0.6  1.6    1.5  1.2  0.7  1.7
//	14x14, 256 to 256                1.9  1.8  1.2  2.6    2.0  1.8  1.2  3.1
//	28x28, 256 to 256, every other   4.4  4.3  2.8  6.0    4.0  4.0  2.6  5.5
//	28x28, 64 to 64, 5x5             7.9  5.7  2.3  7.4    8.7  5.9  2.5  7.2
//
// and for single weights, of which 50, 80 and 90 % are zero:
//
//	56x56, 64 to 256, 1x1            1.2  2.0  2.5    1.2  1.9  2.2
//	14x14, 1024 to 256, 1x1          1.2  2.5  3.9    1.2  2.3  3.8
//	14x14, 96 to 576, 1x1            1.2  2.4  3.4    1.3  2.4  3.4
//	7x7, 960 to 160, 1x1             0.7  1.1  1.4    0.8  1.1  1.2
//	14x14, 256 to 256, 3x3           0.4  0.9  1.7    0.5  1.1  1.8
//	56x56, 128 to 128, every other   1.2  2.4  3.1    1.2  2.5  3.5
func SplitPays(s ConvShape, n SplitCounts) bool { return SplitGain(s, n) > 1 }

// SplitGain is above 1 where SplitPays, and the higher the faster Split is.
func SplitGain(s ConvShape, n SplitCounts) float64 {
	c, err := NewSplit(s)
	if err != nil || c.Tasks() == 0 {
		return 0
	}
	return denseCost(c.s) / (splitMargin * c.cost(n))
}

// StagesPay reports whether a depthwise convolution by so many kernels and a dense 1x1
// convolution behind it are expected to be faster than both, as they are where most
// outputs have a term of every kernel.
func StagesPay(s ConvShape, n SplitCounts) bool {
	c, err := NewSplit(s)
	if err != nil || c.Tasks() == 0 {
		return false
	}
	stages := float64(c.s.N*c.oh*c.ow) * float64(n.Kernels) * float64(len(c.taps)+stageCost+c.s.O)
	return stages < min(c.cost(n), denseCost(c.s))
}

// Costs in multiply-adds at the speed of the direct form, fitted to BenchmarkSplit and
// BenchmarkSparse: of adding a term, of a tap of a product, of bringing a number of the
// source into a plane and an output out of it, of taking an output up again for another block
// of kernels, and of leaving a product in memory between two stages.
const (
	termCost    = 1.5
	tapCost     = 1
	planeCost   = 14
	outCost     = 6
	againCost   = 5.5
	stageCost   = 20
	splitMargin = 1.15
)

func (c *Split) cost(n SplitCounts) float64 {
	vectors := ((c.oh-1)*c.pitch + c.ow + lineFloats - 1) / lineFloats
	places := float64(c.s.N * vectors * lineFloats)
	sums := termCost*float64(n.Terms) + tapCost*float64(n.Products*c.parts)
	blocks := float64((n.Kernels + splitKernels - 1) / splitKernels)
	read := float64(c.Tasks() * c.planeFloats())
	return places*(sums+(outCost+againCost*blocks)*float64(c.s.O)) + planeCost*read
}

// denseCost is what the convolution takes without terms, in the form that is
// expected to be fastest.
func denseCost(s ConvShape) float64 {
	if m := WinogradTile(s); m > 0 {
		return winogradCost(s, m)
	}
	return s.Flops() / 2
}
