//go:build !noasm

package kernel

import "unsafe"

var archDepthGrad = both[depthGradLoop](
	"f32_5x5_avx512", onTaps(depthGrad1AVX512, depthGrad3AVX512, depthGrad5AVX512),
	"f32_5x5_avx2", onTaps(depthGrad1AVX2, depthGrad3AVX2, depthGrad5AVX2))

// Loops by rows, from one on, for each number of columns.
var (
	depthGrad1AVX512 = []func(*byte){depthGrad1x1AVX512, depthGrad2x1AVX512, depthGrad3x1AVX512, depthGrad4x1AVX512, depthGrad5x1AVX512}
	depthGrad3AVX512 = []func(*byte){depthGrad1x3AVX512, depthGrad2x3AVX512, depthGrad3x3AVX512}
	depthGrad5AVX512 = []func(*byte){depthGrad1x5AVX512, depthGrad2x5AVX512}
	depthGrad1AVX2   = []func(*byte){depthGrad1x1AVX2, depthGrad2x1AVX2, depthGrad3x1AVX2, depthGrad4x1AVX2, depthGrad5x1AVX2}
	depthGrad3AVX2   = []func(*byte){depthGrad1x3AVX2, depthGrad2x3AVX2, depthGrad3x3AVX2}
	depthGrad5AVX2   = []func(*byte){depthGrad1x5AVX2, depthGrad2x5AVX2}
)

func onTaps(one, three, five []func(*byte)) depthGradLoop {
	f := [6][]func(*byte){1: one, 3: three, 5: five}
	return func(rows, cols int, a *depthGradArgs) { f[cols][rows-1]((*byte)(unsafe.Pointer(a))) }
}
