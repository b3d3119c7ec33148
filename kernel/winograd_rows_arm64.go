//go:build !noasm

package kernel

import "unsafe"

var (
	archWinogradIn4  = neon[winogradInLoop]("f32_6x6_neon", winogradIn4NEON)
	archWinogradIn2  = neon[winogradInLoop]("f32_4x4_neon", winogradIn2NEON)
	archWinogradOut4 = neon[winogradOutLoop]("f32_4x4_neon", outBy(winogradOut4NEON))
	archWinogradOut2 = neon[winogradOutLoop]("f32_2x2_neon", outBy(winogradOut2NEON))
)

func outBy(f func(*byte)) winogradOutLoop {
	return func(a *winogradOut) { f((*byte)(unsafe.Pointer(a))) }
}
