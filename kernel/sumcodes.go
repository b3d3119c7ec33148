package kernel

import "sync"

// sumArgs is one call of a sumCodesLoop: the sums of columns of rows of codes,
// stride bytes apart, at least one and at most maxSumRows. Assembly reads it by
// offset (TestArgsLayout).
type sumArgs struct {
	sums         []int32
	src          []uint8
	rows, stride int
}

// maxSumRows is how many codes a sum in 16 bits holds.
const maxSumRows = 256

type sumCodesLoop func(a *sumArgs)

var (
	sumCodesLoops = append(archSumCodes, impl[sumCodesLoop]{"u8_1_go", 0, sumCodesGo})
	sumArgsPool   = sync.Pool{New: func() any { return new(sumArgs) }}
)

// SumCodes writes the sum of every column of rows of codes, stride apart; part has
// the length of sums and is overwritten. Sums must not pass int32.
func SumCodes(sums, part []int32, src []uint8, rows, stride int) {
	clear(sums)
	loop, a := pick(sumCodesLoops), sumArgsPool.Get().(*sumArgs)
	for r := 0; r < rows; r += maxSumRows {
		n := min(maxSumRows, rows-r)
		*a = sumArgs{part[:len(sums)], src[r*stride : (r+n-1)*stride+len(sums)], n, stride}
		loop(a)
		for i, v := range a.sums {
			sums[i] += v
		}
	}
	*a = sumArgs{}
	sumArgsPool.Put(a)
}

func sumCodesGo(a *sumArgs) {
	clear(a.sums)
	for r := range a.rows {
		for j, q := range a.src[r*a.stride:][:len(a.sums)] {
			a.sums[j] += int32(q)
		}
	}
}
