package main

// window is a square filter moved over a map, padded by half its size.
type window struct {
	h, w, oh, ow        int
	kernel, stride, pad int
}

func newWindow(h, w, kernel, stride int) window {
	pad := kernel / 2
	out := func(n int) int { return (n+2*pad-kernel)/stride + 1 }
	return window{h: h, w: w, oh: out(h), ow: out(w), kernel: kernel, stride: stride, pad: pad}
}

// taps is the number of weights of a filter over some channels.
func (g window) taps(channels int) int { return channels * g.kernel * g.kernel }

// span is the range of output columns whose tap kx lies inside the map.
func (g window) span(kx int) (lo, hi int) {
	for lo < g.ow && lo*g.stride+kx < g.pad {
		lo++
	}
	hi = g.ow
	for hi > lo && (hi-1)*g.stride+kx-g.pad >= g.w {
		hi--
	}
	return lo, hi
}

// rows calls f for every row of outputs under every tap that lies inside the
// map: output pixel out+j reads pixel in+j*stride, for j below n.
func (g window) rows(f func(tap, out, in, n int)) {
	for ky := range g.kernel {
		for kx := range g.kernel {
			lo, hi := g.span(kx)
			for oy := range g.oh {
				y := oy*g.stride + ky - g.pad
				if y >= 0 && y < g.h && hi > lo {
					f(ky*g.kernel+kx, oy*g.ow+lo, y*g.w+lo*g.stride+kx-g.pad, hi-lo)
				}
			}
		}
	}
}

// unfold writes to columns, for every tap of every channel, the pixels it
// meets; zeros outside the map.
func (g window) unfold(columns, img []float32, channels int) {
	clear(columns)
	size, plane, taps := g.oh*g.ow, g.h*g.w, g.taps(1)
	g.rows(func(tap, out, in, n int) {
		for c := range channels {
			dst, src := columns[(c*taps+tap)*size+out:][:n], img[c*plane+in:]
			if g.stride == 1 {
				copy(dst, src)
				continue
			}
			for j := range dst {
				dst[j] = src[j*g.stride]
			}
		}
	})
}

// fold adds columns back to the pixels they came from.
func (g window) fold(img, columns []float32, channels int) {
	size, plane, taps := g.oh*g.ow, g.h*g.w, g.taps(1)
	g.rows(func(tap, out, in, n int) {
		for c := range channels {
			src, dst := columns[(c*taps+tap)*size+out:][:n], img[c*plane+in:]
			for j, x := range src {
				dst[j*g.stride] += x
			}
		}
	})
}
