package chart

import (
	"bytes"
	"fmt"
	"strings"
)

// style tells a series apart: by the shape and the filling of its marks and the
// dashes of its line, and by a colour besides.
type style struct {
	shape  string // a path around 0,0
	hollow bool
}

const (
	circle   = "M-3.4 0a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0-6.8 0z"
	square   = "M-3-3h6v6h-6z"
	triangle = "M0-4L3.8 3h-7.6z"
	diamond  = "M0-4.4L4 0L0 4.4L-4 0z"
	wedge    = "M0 4L3.8-3h-7.6z"
	cross    = "M-3.2-3.2L3.2 3.2M-3.2 3.2L3.2-3.2"
	plus     = "M-4 0h8M0-4v8"
	bar      = "M-1.4-4h2.8v8h-2.8z"
)

var styles = []style{
	{circle, false}, {square, true}, {triangle, false}, {diamond, true}, {cross, true}, {wedge, false}, {plus, true},
	{square, false}, {circle, true}, {triangle, true}, {bar, false}, {diamond, false},
}

// look is the style sheet; colours are told apart by those who see fewer of them
// (Okabe and Ito), lighter ones of them on dark pages.
var look = `<style>
.page{fill:#fff}.h{font:600 14px system-ui,sans-serif}.t{font:12px system-ui,sans-serif}.n{font:10px system-ui,sans-serif}
.h,.t,.n{fill:#1b1b1b}.m{text-anchor:middle}.e{text-anchor:end}
.g{stroke:#d8d8d8;fill:none}.a{stroke:#555;fill:none}.b{fill:#888;fill-opacity:.16}.v{stroke:#555;stroke-dasharray:1 3;fill:none}
.l{fill:none;stroke-width:1.5}.i{fill:none;stroke-width:1;stroke-opacity:.55}
` + sheet(0) + `@media (prefers-color-scheme:dark){
.page{fill:#16181c}.h,.t,.n{fill:#e8e8e8}.g{stroke:#3a3d44}.a,.v{stroke:#aaa}.b{fill:#bbb}
` + sheet(1) + `}
</style>
`

var (
	colours = [2][]string{
		{"#0072b2", "#d55e00", "#007a5e", "#b1568f", "#1b1b1b", "#9a6a00", "#2f8fc4", "#7a3d00"},
		{"#56b4e9", "#ff9d5c", "#3fd0a8", "#e79cc9", "#f0f0f0", "#f0c040", "#9fd4f5", "#d9a066"},
	}
	dashes = []string{"", "7 3", "2 2.5", "9 3 2 3", "4 2", "12 4", "1 3", "6 2 1 2 1 2", "", "7 3", "2 2.5", "9 3 2 3"}
	papers = [2]string{"#fff", "#16181c"}
)

// sheet has the colours of the series on light or on dark pages.
func sheet(dark int) string {
	var b strings.Builder
	for i, s := range styles {
		c := colours[dark][i%len(colours[dark])]
		inside := c
		if s.hollow {
			inside = papers[dark]
		}
		fmt.Fprintf(&b, ".s%d{stroke:%s", i, c)
		if dark == 0 && dashes[i] != "" {
			fmt.Fprintf(&b, ";stroke-dasharray:%s", dashes[i])
		}
		fmt.Fprintf(&b, "}.k%d{stroke:%s;stroke-width:1.3;fill:%s}\n", i, c, inside)
	}
	return b.String()
}

// mark draws the mark of a series.
func mark(b *bytes.Buffer, series int, x, y float64) {
	i := series % len(styles)
	fmt.Fprintf(b, "<path class=\"k%d\" transform=\"translate(%.1f %.1f)\" d=\"%s\"/>\n", i, x, y, styles[i].shape)
}
