package main

import (
	"fmt"
	"strings"

	"pare/internal/chart"
)

// scale is a figure of a spot along an axis of a panel, in per cent.
type scale struct {
	title string
	of    func(s *spot) (percent float64, known bool)
}

var (
	macsKept     = scale{"multiply-accumulates kept, %", func(s *spot) (float64, bool) { return 100 * s.macs, true }}
	paramsKept   = scale{"parameters kept, %", func(s *spot) (float64, bool) { return 100 * s.params, true }}
	productsKept = scale{"multiplications kept, %", func(s *spot) (float64, bool) { return 100 * s.multiplications, true }}
	bytesKept    = scale{"bytes kept, %", func(s *spot) (float64, bool) { return 100 * s.bytes, true }}
	timeKept     = scale{"time, % of the original's", func(s *spot) (float64, bool) {
		if s.time == nil {
			return 0, false
		}
		return 100 * *s.time, true
	}}
	accuracy  = scale{"accuracy, %", func(s *spot) (float64, bool) { return 100 * s.accuracy, true }}
	agreement = scale{"agreement, %", func(s *spot) (float64, bool) { return 100 * s.agreement, true }}
)

// view is a panel: one figure of the spots over another.
type view struct{ x, y scale }

var (
	channelViews = []view{{macsKept, accuracy}, {paramsKept, agreement}, {productsKept, agreement}, {timeKept, agreement}}
	mixedViews   = []view{{bytesKept, accuracy}, {bytesKept, agreement}, {productsKept, agreement}, {timeKept, agreement}}
)

// shown is the part of the original's accuracy, and of agreement, below which
// lines leave the panels.
const shown = 0.5

func picturePath(network string) string { return "results/prune-" + slug(network) + ".svg" }

// prunePictures draws one picture for every network that has figures.
func prunePictures(rows []row) []picture {
	var out []picture
	for _, n := range prunedNetworks() {
		if base := find(rows, n.name, whole); base != nil && base.Costs != nil {
			f := networkFigure(rows, n.name, base)
			out = append(out, picture{picturePath(n.name), f.SVG()})
		}
	}
	return out
}

func networkFigure(rows []row, network string, base *row) chart.Figure {
	f := chart.Figure{Title: network + ": what is kept and what is left of it"}
	var about []string
	for i := range families {
		r := families[i].figure(rows, network, base)
		if len(r.Names) == 0 {
			continue
		}
		f.Rows = append(f.Rows, r)
		about = append(about, r.Title+": "+strings.Join(r.Names, ", "))
	}
	f.About = "Lines of accuracy and of agreement with the original over what is kept; the figures are in the table below the picture. " +
		strings.Join(about, "; ") + "."
	return f
}

// figure is the row of panels of a family, with the curves that have points.
func (f *family) figure(rows []row, network string, base *row) chart.Row {
	out := chart.Row{Title: f.title}
	var all [][]spot
	for _, c := range f.curves {
		if spots := c.spots(rows, network); len(spots) > 0 {
			out.Names = append(out.Names, c.name)
			all = append(all, spots)
		}
	}
	for _, v := range f.views {
		out.Panels = append(out.Panels, v.panel(all, base))
	}
	return out
}

// panel draws the spots of curves.
func (v view) panel(curves [][]spot, base *row) chart.Panel {
	p := chart.Panel{X: v.x.title, Y: v.y.title, Floor: 100 * shown}
	if v.y.title == accuracy.title && base.Top1 != nil {
		p.Level, p.Floor = 100**base.Top1, 100*shown**base.Top1
		p.Band = &[2]float64{100 * base.Interval[0], 100 * base.Interval[1]}
	}
	p.Title = fmt.Sprintf("%s over %s", word(v.y.title), word(v.x.title))
	for _, spots := range curves {
		p.Series = append(p.Series, v.series(spots))
	}
	return p
}

// word is the title of a scale without its unit.
func word(title string) string { w, _, _ := strings.Cut(title, ","); return w }

func (v view) series(spots []spot) chart.Series {
	var out chart.Series
	for i := range spots {
		s := &spots[i]
		x, ok := v.x.of(s)
		y, known := v.y.of(s)
		if !ok || !known {
			continue
		}
		q := chart.Point{X: x, Y: y}
		if v.y.title == accuracy.title && s.interval != nil {
			q.Interval = &[2]float64{100 * s.interval[0], 100 * s.interval[1]}
		}
		out = append(out, q)
	}
	return out
}
