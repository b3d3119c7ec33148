package picture

// zigzag is the place, in rows, of the coefficients as they are stored.
var zigzag = [64]int{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// inverseDCT turns the coefficients of a block, in zigzag order, into samples:
// the algorithm of Loeffler, Ligtenberg and Moschytz in 13-bit fixed point,
// rounded after each of its two passes where libjpeg does.
func inverseDCT(dst []byte, stride int, coefficients []int16, quant *[64]int32) {
	var block [64]int32
	for k, c := range coefficients {
		block[zigzag[k]] = int32(c) * quant[k]
	}
	for x := range 8 {
		transform8(&block, x, 8, 11) // keeps two more bits
	}
	for y := range 8 {
		transform8(&block, 8*y, 1, 18)
		for x := range 8 {
			dst[y*stride+x] = clamp(int(block[8*y+x]) + 128)
		}
	}
}

// transform8 transforms the eight elements from at on that are step apart and
// drops shift bits.
func transform8(b *[64]int32, at, step int, shift uint) {
	in := func(i int) int32 { return b[at+i*step] }
	z := (in(2) + in(6)) * 4433
	even2, even3 := z-in(6)*15137, z+in(2)*6270
	even0, even1 := (in(0)+in(4))<<13, (in(0)-in(4))<<13
	even := [4]int32{even0 + even3, even1 + even2, even1 - even2, even0 - even3}

	t0, t1, t2, t3 := in(7), in(5), in(3), in(1)
	z1, z2, z3, z4 := (t0+t3)*-7373, (t1+t2)*-20995, t0+t2, t1+t3
	z5 := (z3 + z4) * 9633
	z3, z4 = z3*-16069+z5, z4*-3196+z5
	odd := [4]int32{t3*12299 + z1 + z4, t2*25172 + z2 + z3, t1*16819 + z2 + z4, t0*2446 + z1 + z3}

	half := int32(1) << (shift - 1)
	for i := range 4 {
		b[at+i*step] = (even[i] + odd[i] + half) >> shift
		b[at+(7-i)*step] = (even[i] - odd[i] + half) >> shift
	}
}
