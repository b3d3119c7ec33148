package kernel

// Cost is what storing numbers on a grid costs: the sum of squared differences,
// that of squares of the numbers, and the largest difference. Sums run in eight
// interleaved parts, element i in part i mod 8, and have the same bits in every
// row.
type Cost struct{ Square, Energy, Max float64 }

// EncodeSteps writes saturate(round(x/s.Step)+s.Zero), ties to even, in the low
// bytes that it has, for finite numbers; s.Lo ≤ s.Zero ≤ s.Hi. Slices have the
// length of src.
func EncodeSteps(dst []uint8, src []float32, s Scale) Cost {
	return encode(encodeStepsLoops, gridArgs{
		dst: dst[:len(src)], src: src, step: s.Step, lo: float32(s.Lo - s.Zero), hi: float32(s.Hi - s.Zero), zero: s.Zero,
	})
}

// MaxLevels is the largest number of levels that EncodeLevels takes, 0 included.
const MaxLevels = 16

// EncodeLevels writes n+q for numbers that are not negative and n-q for others,
// n = len(levels)-1: q is the largest with |x|/step ≥ cuts[q], where cuts ascend
// from cuts[0] = 0. Level q stands for levels[q], 0 for none. Numbers are finite.
func EncodeLevels(dst []uint8, src []float32, step float32, cuts, levels []float32) Cost {
	a := gridArgs{dst: dst[:len(src)], src: src, step: step, zero: int32(len(levels) - 1), n: len(levels)}
	for i := range a.cuts {
		a.cuts[i] = inf
	}
	copy(a.cuts[:], cuts[:len(levels)])
	copy(a.levels[:], levels)
	return encode(encodeLevelsLoops, a)
}

// gridArgs is one call of a gridLoop. Assembly reads and writes it by offset
// (TestArgsLayout).
type gridArgs struct {
	dst                 []uint8
	src                 []float32
	step, lo, hi        float32
	zero                int32
	cuts, levels        [MaxLevels]float32
	square, energy, top [8]float64
	n                   int // levels in use
}

type gridLoop func(a *gridArgs)

// All rows of these tables give the same bits.
var (
	encodeStepsLoops  = append(archEncodeSteps, impl[gridLoop]{"f32u8_1_go", 0, func(a *gridArgs) { encodeStepsFrom(0, a) }})
	encodeLevelsLoops = append(archEncodeLevels, impl[gridLoop]{"f32u8_1_go", 0, func(a *gridArgs) { encodeLevelsFrom(0, a) }})
)

func encode(loops []impl[gridLoop], args gridArgs) Cost {
	a := gridArgsPool.Get().(*gridArgs)
	*a = args
	pick(loops)(a)
	c := Cost{Square: folded(&a.square), Energy: folded(&a.energy)}
	for _, v := range a.top {
		c.Max = max(c.Max, v)
	}
	a.dst, a.src = nil, nil
	gridArgsPool.Put(a)
	return c
}

func folded(x *[8]float64) float64 {
	return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]))
}

// count adds element i, for which y stands, to the cost.
func (a *gridArgs) count(i int, y float32) {
	v := float64(a.src[i])
	d := v - float64(y)
	k := i % 8
	a.square[k] += float64(d * d)
	a.energy[k] += float64(v * v)
	a.top[k] = max(a.top[k], d, -d)
}

// encodeStepsFrom starts at element i, as others with its ending do.
func encodeStepsFrom(i int, a *gridArgs) {
	for ; i < len(a.dst); i++ {
		u := min(max(a.src[i]/a.step, a.lo), a.hi)
		const magic = 3 << 22 // makes the sum round to integers
		u = float32(u+magic) - magic
		a.dst[i] = uint8(int32(u) + a.zero)
		a.count(i, float32(u*a.step))
	}
}

func encodeLevelsFrom(i int, a *gridArgs) {
	for ; i < len(a.dst); i++ {
		u := a.src[i] / a.step
		negative := a.src[i] < 0
		if negative {
			u = -u
		}
		q := 0
		for q+1 < a.n && u >= a.cuts[q+1] {
			q++
		}
		if negative {
			a.dst[i] = uint8(a.zero - int32(q))
			a.count(i, -a.levels[q])
		} else {
			a.dst[i] = uint8(a.zero + int32(q))
			a.count(i, a.levels[q])
		}
	}
}
