package picture

// upsampleBilinear doubles a plane as libwebp does: every new sample is 9/16 of
// the nearest old one, 3/16 of the next ones along each axis and 1/16 of the
// diagonal one, formed in two roundings.
func upsampleBilinear(p plane, w, h int) plane {
	out := plane{make([]byte, w*h), w, w, h}
	for y := range h {
		for x := range w {
			i, j := x/2, y/2
			side, next := i+1, j+1
			if x%2 == 0 {
				side = i - 1
			}
			if y%2 == 0 {
				next = j - 1
			}
			out.pix[y*w+x] = byte(p.blend(i, j, side, next, x == 0 || x == 2*p.w-1))
		}
	}
	return out
}

// blend mixes the sample (i, j) with its neighbours in column side and row
// next. At the left and right edge only the column counts.
func (p plane) blend(i, j, side, next int, edge bool) int {
	near, beside, above, diagonal := p.at(i, j), p.at(side, j), p.at(i, next), p.at(side, next)
	if edge {
		return (3*near + above + 2) >> 2
	}
	sum := near + beside + above + diagonal + 8
	return ((sum+2*(beside+above))>>3 + near) >> 1
}

// studioRGB converts from the limited range of video, in the fixed point of
// libwebp.
func studioRGB(y, u, v int) (r, g, b byte) {
	luma := 19077 * y >> 8
	return clamp((luma + 26149*v>>8 - 14234) >> 6),
		clamp((luma - 6419*u>>8 - 13320*v>>8 + 8708) >> 6),
		clamp((luma + 33050*u>>8 - 17685) >> 6)
}
