package kernel

import "unsafe"

// bytesOf sees int8 memory as bytes.
func bytesOf(s []int8) []uint8 {
	return unsafe.Slice((*uint8)(unsafe.Pointer(unsafe.SliceData(s))), len(s))
}

// signedBytes sees bytes as int8.
func signedBytes(s []uint8) []int8 {
	return unsafe.Slice((*int8)(unsafe.Pointer(unsafe.SliceData(s))), len(s))
}

// rawBytes sees memory of 32-bit numbers as bytes.
func rawBytes[T float32 | int32](s []T) []uint8 {
	return unsafe.Slice((*uint8)(unsafe.Pointer(unsafe.SliceData(s))), 4*len(s))
}

// rawShorts sees memory of words as bytes.
func rawShorts(s []int16) []uint8 {
	return unsafe.Slice((*uint8)(unsafe.Pointer(unsafe.SliceData(s))), 2*len(s))
}

// shorts sees bytes, aligned to 2, as words.
func shorts(x []uint8) []int16 {
	return unsafe.Slice((*int16)(unsafe.Pointer(unsafe.SliceData(x))), len(x)/2)
}

// ints sees bytes, aligned to 4, as int32.
func ints(x []uint8) []int32 {
	return unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(x))), len(x)/4)
}

// int32s is the start of scratch memory seen as integers.
func int32s(scratch []float32, n int) []int32 {
	return unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(scratch[:n]))), n)
}

// lineFloats is how many numbers of 32 bits a line of the cache holds.
const lineFloats = 16

// lined drops what lies before the first line of the cache that s has in full:
// sums that kernels keep in memory should not lie across two.
func lined[T float32 | int32](s []T) []T {
	return s[-uintptr(unsafe.Pointer(unsafe.SliceData(s)))%(4*lineFloats)/4:]
}

// outerLines is the start of scratch memory seen as pairs of offsets.
func outerLines(scratch []float32, n int) []outerLine {
	return unsafe.Slice((*outerLine)(unsafe.Pointer(unsafe.SliceData(scratch[:2*n]))), n)
}

// float64s is the start of memory, from the first place that is aligned, seen as n
// numbers of twice the size: it needs 2n+1 elements.
func float64s(s []float32, n int) []float64 {
	s = s[:2*n+1]
	s = s[uintptr(unsafe.Pointer(unsafe.SliceData(s)))%8/4:]
	return unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(s))), n)
}
