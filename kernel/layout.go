package kernel

// Transpose writes the transpose of a rows×cols matrix: dst[c*rows+r] =
// src[r*cols+c]. The slices must not overlap.
func Transpose(dst, src []float32, rows, cols int) {
	if n := rows * cols; n > 0 {
		pick(transposeLoops)(dst[:n], src[:n], rows, cols)
	}
}

type transposeLoop func(dst, src []float32, rows, cols int)

var transposeLoops = append(archTranspose, impl[transposeLoop]{"f32_1_go", 0, transposeGo})

func transposeGo(dst, src []float32, rows, cols int) {
	const edge = 16
	for r0 := 0; r0 < rows; r0 += edge {
		r1 := min(r0+edge, rows)
		for c0 := 0; c0 < cols; c0 += edge {
			for c := c0; c < min(c0+edge, cols); c++ {
				d := dst[c*rows+r0 : c*rows+r1]
				for i := range d {
					d[i] = src[(r0+i)*cols+c]
				}
			}
		}
	}
}

// NCHWToNHWC converts n images of c channels and hw pixels.
func NCHWToNHWC(dst, src []float32, n, c, hw int) {
	for i := range n {
		Transpose(dst[i*c*hw:(i+1)*c*hw], src[i*c*hw:(i+1)*c*hw], c, hw)
	}
}

// NHWCToNCHW converts n images of c channels and hw pixels.
func NHWCToNCHW(dst, src []float32, n, c, hw int) {
	for i := range n {
		Transpose(dst[i*c*hw:(i+1)*c*hw], src[i*c*hw:(i+1)*c*hw], hw, c)
	}
}

// CopyPixels copies n pixels of c channels from rows srcStride elements apart
// to rows dstStride elements apart.
func CopyPixels(dst, src []float32, n, c, dstStride, srcStride int) {
	copyPixels(dst, src, n, c, dstStride, srcStride)
}

// PadCopy copies n NHWC images of h×w pixels and c channels into images with
// t, l, b, r pixels of value around them.
func PadCopy(dst, src []float32, n, h, w, c, t, l, b, r int, value float32) {
	line := (l + w + r) * c
	for i := range n {
		fill(dst[:t*line], value)
		dst = dst[t*line:]
		for range h {
			fill(dst[:l*c], value)
			copy(dst[l*c:(l+w)*c], src[:w*c])
			fill(dst[(l+w)*c:line], value)
			dst, src = dst[line:], src[w*c:]
		}
		fill(dst[:b*line], value)
		dst = dst[b*line:]
		_ = i
	}
}

// fill writes v to all of d, by doubling what is written.
func fill[T float32 | uint8](d []T, v T) {
	if len(d) == 0 {
		return
	}
	d[0] = v
	for n := 1; n < len(d); n *= 2 {
		copy(d[n:], d[:n])
	}
}
