//go:build !noasm

package kernel

import (
	"unsafe"

	"pare/internal/cpu"
)

var archSplit = []splitRow{{"f32_64_neon", cpu.NEON, 2, onSplit(splitProductsNEON), onSplit(splitSumsNEON)}}

func onSplit(f func(*byte)) func(*splitArgs) {
	return func(a *splitArgs) { f((*byte)(unsafe.Pointer(a))) }
}
