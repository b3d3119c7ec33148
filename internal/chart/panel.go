package chart

import (
	"bytes"
	"fmt"
	"math"
	"slices"
)

// axis maps values to pixels.
type axis struct {
	lo, hi   float64 // values at the ends
	from, to float64 // pixels at the ends
	ticks    []float64
}

func (a axis) at(v float64) float64 { return a.from + (v-a.lo)/(a.hi-a.lo)*(a.to-a.from) }

// newAxis holds all values between round ends.
func newAxis(lo, hi, from, to float64) axis {
	if !(lo < hi) {
		lo, hi = lo-0.5, hi+0.5
	}
	step := roundStep((hi - lo) / 4)
	a := axis{lo: math.Floor(lo/step+1e-9) * step, hi: math.Ceil(hi/step-1e-9) * step, from: from, to: to}
	for k := 0; ; k++ {
		v := a.lo + float64(k)*step
		if v > a.hi+step/2 {
			return a
		}
		a.ticks = append(a.ticks, v)
	}
}

// roundStep is the least of 1, 2, 5 times a power of ten that is not below x.
func roundStep(x float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 5} {
		if m*p >= x*(1-1e-9) {
			return m * p
		}
	}
	return 10 * p
}

// draw draws the panel with its upper left corner at x, y; clip is an identifier
// of its own.
func (p *Panel) draw(b *bytes.Buffer, clip string, x, y float64) {
	text(b, "t", x+left, y+16, p.Title)
	h, v, ok := p.axes(x, y)
	if !ok {
		text(b, "n", x+left, y+panelHeight/2, "not measured")
		return
	}
	p.grid(b, h, v)
	fmt.Fprintf(b, "<clipPath id=\"%s\"><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/></clipPath>\n<g clip-path=\"url(#%s)\">\n",
		clip, h.from-5, v.to-5, h.to-h.from+10, v.from-v.to+5, clip)
	if p.Band != nil {
		fmt.Fprintf(b, "<rect class=\"b\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/><path class=\"v\" d=\"M%.1f %.1fH%.1f\"/>\n",
			h.from, v.at(p.Band[1]), h.to-h.from, v.at(p.Band[0])-v.at(p.Band[1]), h.from, v.at(p.Level), h.to)
	}
	for i, s := range p.Series {
		s.draw(b, i, h, v)
	}
	b.WriteString("</g>\n")
}

// axes are those that hold all points above the floor, or all where none is; there
// are none without points.
func (p *Panel) axes(x, y float64) (h, v axis, ok bool) {
	var xs, below, ys []float64
	for _, s := range p.Series {
		for _, q := range s {
			ys = append(ys, max(q.Y, p.Floor))
			if q.Y >= p.Floor {
				xs = append(xs, q.X)
			} else {
				below = append(below, q.X)
			}
		}
	}
	if len(xs) == 0 {
		xs = below
	}
	if len(xs) == 0 {
		return h, v, false
	}
	if p.Band != nil {
		ys = append(ys, p.Level)
	}
	h = newAxis(slices.Min(xs), slices.Max(xs), x+left, x+panelWidth-right)
	v = newAxis(slices.Min(ys), slices.Max(ys), y+panelHeight-bottom, y+top)
	return h, v, true
}

// grid draws the lines at round values, their figures and what they are.
func (p *Panel) grid(b *bytes.Buffer, h, v axis) {
	for _, t := range v.ticks {
		fmt.Fprintf(b, "<path class=\"g\" d=\"M%.1f %.1fH%.1f\"/>", h.from, v.at(t), h.to)
		text(b, "n e", h.from-5, v.at(t)+3.5, number(t))
	}
	for _, t := range h.ticks {
		fmt.Fprintf(b, "<path class=\"g\" d=\"M%.1f %.1fV%.1f\"/>", h.at(t), v.from, v.to)
		text(b, "n m", h.at(t), v.from+13, number(t))
	}
	fmt.Fprintf(b, "<path class=\"a\" d=\"M%.1f %.1fV%.1fH%.1f\"/>\n", h.from, v.to, v.from, h.to)
	text(b, "n m", (h.from+h.to)/2, v.from+28, p.X)
	fmt.Fprintf(b, "<g transform=\"translate(%.1f %.1f) rotate(-90)\">", h.from-34, (v.from+v.to)/2)
	text(b, "n m", 0, 0, p.Y)
	b.WriteString("</g>\n")
}

// number writes a round value.
func number(v float64) string { return fmt.Sprintf("%.4g", math.Round(v*1e6)/1e6) }

func (s Series) draw(b *bytes.Buffer, index int, h, v axis) {
	if len(s) == 0 {
		return
	}
	fmt.Fprintf(b, "<path class=\"l s%d\" d=\"", index%len(styles))
	for i, q := range s {
		fmt.Fprintf(b, "%c%.1f %.1f", "ML"[min(i, 1)], h.at(q.X), v.at(q.Y))
	}
	b.WriteString("\"/>\n")
	for _, q := range s {
		if q.Interval != nil {
			fmt.Fprintf(b, "<path class=\"i k%d\" d=\"M%.1f %.1fV%.1f\"/>", index%len(styles), h.at(q.X), v.at(q.Interval[0]), v.at(q.Interval[1]))
		}
		mark(b, index, h.at(q.X), v.at(q.Y))
	}
}
