package tensor

import "fmt"

// Codes returns the storage code of every element in a byte of its own: the
// elements of 8-bit types as they are (shared with t), those of 4- and 2-bit
// types unpacked, in the low bits, without sign extension. It panics for wider
// types.
func Codes(t *Tensor) []byte {
	bits, raw := t.Type.Bits(), t.bytes()
	if bits == 8 {
		return raw
	}
	if bits != 4 && bits != 2 {
		panic(fmt.Sprintf("tensor.Codes: %v elements are not codes of a byte or less", t.Type))
	}
	out := make([]byte, t.Len())
	per, mask := 8/bits, byte(1)<<bits-1
	whole := len(out) / per
	if bits == 4 {
		for i, b := range raw[:whole] {
			pair := out[2*i : 2*i+2 : 2*i+2]
			pair[0], pair[1] = b&15, b>>4
		}
	} else {
		for i, b := range raw[:whole] {
			four := out[4*i : 4*i+4 : 4*i+4]
			four[0], four[1], four[2], four[3] = b&3, b>>2&3, b>>4&3, b>>6
		}
	}
	for i := whole * per; i < len(out); i++ {
		out[i] = raw[i/per] >> (i % per * bits) & mask
	}
	return out
}

// FromCodes is the inverse of Codes; higher bits of a code are ignored. 8-bit
// types borrow codes.
func FromCodes(t DType, shape []int, codes []byte) *Tensor {
	if Len(shape) != len(codes) {
		panic(fmt.Sprintf("tensor.FromCodes: shape %v with %d codes", shape, len(codes)))
	}
	bits := t.Bits()
	if bits == 8 {
		return &Tensor{Type: t, Shape: append([]int(nil), shape...), raw: codes}
	}
	if bits != 4 && bits != 2 {
		panic(fmt.Sprintf("tensor.FromCodes: %v elements are not codes of a byte or less", t))
	}
	out := New(t, shape...)
	per, mask := 8/bits, byte(1)<<bits-1
	whole := len(codes) / per
	if bits == 4 {
		for i := range out.raw[:whole] {
			pair := codes[2*i : 2*i+2 : 2*i+2]
			out.raw[i] = pair[0]&15 | pair[1]<<4
		}
	} else {
		for i := range out.raw[:whole] {
			four := codes[4*i : 4*i+4 : 4*i+4]
			out.raw[i] = four[0]&3 | four[1]&3<<2 | four[2]&3<<4 | four[3]<<6
		}
	}
	for i := whole; i < len(out.raw); i++ {
		last := min((i+1)*per, len(codes))
		b := byte(0)
		for k := last - 1; k >= i*per; k-- {
			b = b<<bits | codes[k]&mask
		}
		out.raw[i] = b
	}
	return out
}

// Ints8 returns the elements of a signed or unsigned integer type of at most 8
// bits as int16, sign-extended where the type is signed.
func Ints8(t *Tensor) []int16 {
	codes := Codes(t)
	out := make([]int16, len(codes))
	if t.Type.IsUnsigned() {
		for i, c := range codes {
			out[i] = int16(c)
		}
		return out
	}
	shift := uint(16-t.Type.Bits()) & 15
	for i, c := range codes {
		out[i] = int16(c) << shift >> shift
	}
	return out
}
