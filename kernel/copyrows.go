package kernel

import (
	"encoding/binary"
	"unsafe"
)

// shortRow is the most bytes that are copied faster word by word than by a call.
const shortRow = 16

// copyPixels copies n rows of c elements that lie apart.
func copyPixels[T float32 | uint8](dst, src []T, n, c, dstStride, srcStride int) {
	if n == 0 || c == 0 {
		return
	}
	if dstStride == c && srcStride == c {
		copy(dst[:n*c], src[:n*c])
		return
	}
	size := int(unsafe.Sizeof(dst[0]))
	if bytes := c * size; bytes >= 4 && bytes <= shortRow {
		run := copyFew
		if bytes >= 8 {
			run = copyShort
		}
		run(bytesIn(dst[:extent(n, c, dstStride)]), bytesIn(src[:extent(n, c, srcStride)]), n, bytes, dstStride*size, srcStride*size)
		return
	}
	for i := range n {
		copy(dst[i*dstStride:i*dstStride+c], src[i*srcStride:i*srcStride+c])
	}
}

// bytesIn sees memory as bytes.
func bytesIn[T float32 | uint8](s []T) []uint8 {
	return unsafe.Slice((*uint8)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(s[0])))
}

// copyShort copies rows of bytes in two words that may overlap.
func copyShort(dst, src []uint8, rows, bytes, dstStep, srcStep int) {
	le := binary.LittleEndian
	last := bytes - 8
	for i := range rows {
		d, s := dst[i*dstStep:][:bytes], src[i*srcStep:][:bytes]
		a, b := le.Uint64(s), le.Uint64(s[last:])
		le.PutUint64(d, a)
		le.PutUint64(d[last:], b)
	}
}

// copyFew is copyShort for half words.
func copyFew(dst, src []uint8, rows, bytes, dstStep, srcStep int) {
	le := binary.LittleEndian
	last := bytes - 4
	for i := range rows {
		d, s := dst[i*dstStep:][:bytes], src[i*srcStep:][:bytes]
		a, b := le.Uint32(s), le.Uint32(s[last:])
		le.PutUint32(d, a)
		le.PutUint32(d[last:], b)
	}
}
