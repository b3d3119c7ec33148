//go:build !noasm

package kernel

import "unsafe"

var (
	archWinogradIn4  = neon[winogradInLoop]("f32_6x6_neon", inBy(winogradIn4NEON, winogradInGo(6, 6, lineIn4)))
	archWinogradIn2  = neon[winogradInLoop]("f32_4x4_neon", inBy(winogradIn2NEON, winogradInGo(4, 4, lineIn2)))
	archWinogradOut4 = neon[winogradOutLoop]("f32_4x4_neon", outBy(winogradOut4NEON, winogradOutGo(4, lineOut4)))
	archWinogradOut2 = neon[winogradOutLoop]("f32_2x2_neon", outBy(winogradOut2NEON, winogradOutGo(2, lineOut2)))
)

// inBy takes eight channels at a time, and what is left in Go.
func inBy(f, rest winogradInLoop) winogradInLoop {
	return func(dst, src []float32, c, row, pixel, tap int) {
		whole := c &^ 7
		if whole > 0 {
			f(dst, src, whole, row, pixel, tap)
		}
		if whole < c {
			rest(dst[whole:], src[whole:], c-whole, row, pixel, tap)
		}
	}
}

// outBy is inBy for sums.
func outBy(f func(*byte), rest winogradOutLoop) winogradOutLoop {
	return func(a *winogradOut) {
		n := a.n
		if a.n = n &^ 7; a.n > 0 {
			f((*byte)(unsafe.Pointer(a)))
		}
		if whole := n &^ 7; whole < n {
			src, dst, res, bias := a.src, a.dst, a.res, a.bias
			a.n, a.src, a.dst, a.res, a.bias = n-whole, src[whole:], dst[whole:], behind(res, whole), behind(bias, whole)
			rest(a)
			a.src, a.dst, a.res, a.bias = src, dst, res, bias
		}
		a.n = n
	}
}

// behind is s from i on, nil where there is none.
func behind(s []float32, i int) []float32 {
	if s == nil {
		return nil
	}
	return s[i:]
}
