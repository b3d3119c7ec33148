package picture

import "image"

// fromYCbCr brings the chroma planes to full size and converts to RGB.
func fromYCbCr(m *image.YCbCr, rgb func(y, cb, cr int) (r, g, b byte), up func(p plane, w, h int) plane) *RGB {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	cw, ch := chromaSize(m.SubsampleRatio, w, h)
	cb := up(plane{m.Cb, m.CStride, cw, ch}, w, h)
	cr := up(plane{m.Cr, m.CStride, cw, ch}, w, h)
	out := newRGB(w, h)
	for y := range h {
		for x := range w {
			p := out.Pix[3*(y*w+x):]
			p[0], p[1], p[2] = rgb(int(m.Y[y*m.YStride+x]), cb.at(x, y), cr.at(x, y))
		}
	}
	return out
}

func chromaSize(r image.YCbCrSubsampleRatio, w, h int) (int, int) {
	fx, fy := 1, 1
	switch r {
	case image.YCbCrSubsampleRatio422:
		fx = 2
	case image.YCbCrSubsampleRatio420:
		fx, fy = 2, 2
	case image.YCbCrSubsampleRatio440:
		fy = 2
	case image.YCbCrSubsampleRatio411:
		fx = 4
	case image.YCbCrSubsampleRatio410:
		fx, fy = 4, 2
	}
	return (w + fx - 1) / fx, (h + fy - 1) / fy
}

// plane is one channel of w × h samples.
type plane struct {
	pix    []byte
	stride int
	w, h   int
}

// at is the sample at a position; beyond the edges the outermost one repeats.
func (p plane) at(x, y int) int {
	return int(p.pix[min(max(y, 0), p.h-1)*p.stride+min(max(x, 0), p.w-1)])
}

// upsampleJPEG doubles a plane as libjpeg's "fancy" method does: new samples lie
// at 1/4 and 3/4 between old ones, rounded up and down in turns. Ratios other
// than 2 repeat samples.
func upsampleJPEG(p plane, w, h int) plane {
	fx, fy := (w+p.w-1)/p.w, (h+p.h-1)/p.h
	out := plane{make([]byte, w*h), w, w, h}
	for y := range h {
		for x := range w {
			var v int
			switch {
			case fx == 2 && p.w > 2 && fy == 2:
				v = p.between2(x, y)
			case fx == 2 && p.w > 2 && fy == 1:
				v = p.between1(x, y)
			case fx == 1 && fy == 2:
				near := 1 - 2*(1-y%2)
				v = (3*p.at(x, y/2) + p.at(x, y/2+near) + 1 + y%2) >> 2
			default:
				v = p.at(x/fx, y/fy)
			}
			out.pix[y*w+x] = byte(v)
		}
	}
	return out
}

// between1 interpolates along x.
func (p plane) between1(x, y int) int {
	i := x / 2
	if x == 0 || x == 2*p.w-1 {
		return p.at(i, y)
	}
	if x%2 == 0 {
		return (3*p.at(i, y) + p.at(i-1, y) + 1) >> 2
	}
	return (3*p.at(i, y) + p.at(i+1, y) + 2) >> 2
}

// between2 interpolates along both axes.
func (p plane) between2(x, y int) int {
	i, j := x/2, y/2
	near := j + 1
	if y%2 == 0 {
		near = j - 1
	}
	column := func(i int) int { return 3*p.at(i, j) + p.at(i, near) }
	switch {
	case x == 0:
		return (4*column(i) + 8) >> 4
	case x == 2*p.w-1:
		return (4*column(i) + 7) >> 4
	case x%2 == 0:
		return (3*column(i) + column(i-1) + 8) >> 4
	}
	return (3*column(i) + column(i+1) + 7) >> 4
}

// fullRGB converts by JFIF, in the fixed point of libjpeg.
func fullRGB(y, cb, cr int) (r, g, b byte) {
	cb, cr = cb-128, cr-128
	return clamp(y + (91881*cr+32768)>>16), clamp(y + (-22554*cb-46802*cr+32768)>>16), clamp(y + (116130*cb+32768)>>16)
}

func clamp(v int) byte { return byte(min(max(v, 0), 255)) }
