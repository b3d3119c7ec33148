// Package chart draws small line charts as SVG that can be read without colour, on
// light and on dark pages, in print, and by a screen reader.
package chart

import (
	"bytes"
	"fmt"
	"html"
)

// Figure is a grid of panels; every row has a legend of its own.
type Figure struct {
	Title string
	About string // what is seen, for those who do not see it
	Rows  []Row
}

// Row is panels side by side, which share the names of their series.
type Row struct {
	Title  string
	Names  []string // of the series, in the order of the legend
	Panels []Panel
}

// Panel is one chart.
type Panel struct {
	Title  string
	X, Y   string   // what the axes show
	Series []Series // by the row's names; one without points is left out
	// Level is a line across the panel, such as what the original has, and Band what
	// surrounds it; not drawn where Band is nil.
	Level float64
	Band  *[2]float64
	// Floor is the least Y that is shown: lines that fall below leave the panel.
	Floor float64
}

// Series is a line through points.
type Series []Point

// Point is a point with the interval of its Y, which may be nil.
type Point struct {
	X, Y     float64
	Interval *[2]float64
}

// Sizes in pixels.
const (
	panelWidth, panelHeight = 310, 210 // with everything around the axes
	left, right             = 46, 18
	top, bottom             = 26, 38
	rowHead                 = 50 // title and legend of a row
	head                    = 34 // title of the figure
	legendStep              = 240
)

// SVG draws the figure.
func (f *Figure) SVG() []byte {
	width, height := panelWidth, head
	for _, r := range f.Rows {
		width = max(width, len(r.Panels)*panelWidth)
		height += r.height(len(r.Panels)*panelWidth) + panelHeight
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" aria-labelledby=\"title about\">\n",
		width, height, width, height)
	fmt.Fprintf(&b, "<title id=\"title\">%s</title>\n<desc id=\"about\">%s</desc>\n", html.EscapeString(f.Title), html.EscapeString(f.About))
	b.WriteString(look)
	fmt.Fprintf(&b, "<rect class=\"page\" width=\"%d\" height=\"%d\"/>\n", width, height)
	text(&b, "h", 12, 22, f.Title)
	y := head
	for i, r := range f.Rows {
		r.draw(&b, i, y)
		y += r.height(len(r.Panels)*panelWidth) + panelHeight
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// height is that of a row's title and legend.
func (r *Row) height(width int) int {
	perLine := max(1, (width-left)/legendStep)
	lines := (len(r.Names) + perLine - 1) / perLine
	return rowHead + (max(1, lines)-1)*legendLine
}

const legendLine = 18

func (r *Row) draw(b *bytes.Buffer, index, y int) {
	text(b, "h", 12, float64(y+16), r.Title)
	width := len(r.Panels) * panelWidth
	perLine := max(1, (width-left)/legendStep)
	for i, name := range r.Names {
		x, at := float64(left+i%perLine*legendStep), float64(y+36+i/perLine*legendLine)
		fmt.Fprintf(b, "<path class=\"l s%d\" d=\"M%.0f %.0fh34\"/>", i%len(styles), x-12, at)
		mark(b, i, x+5, at)
		text(b, "t", x+28, at+4, name)
	}
	for i := range r.Panels {
		r.Panels[i].draw(b, fmt.Sprintf("c%d-%d", index, i), float64(i*panelWidth), float64(y+r.height(width)))
	}
}

// text writes a line of text of a class.
func text(b *bytes.Buffer, class string, x, y float64, s string) {
	fmt.Fprintf(b, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", class, x, y, html.EscapeString(s))
}
