package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

// figure has twelve series, more than there are colours.
func figure() *Figure {
	p := Panel{Title: "a < b", X: "kept, %", Y: "accuracy, %", Level: 90, Band: &[2]float64{89, 91}, Floor: 50}
	r := Row{Title: "methods", Panels: []Panel{p, {Title: "nothing"}}}
	for i := range 12 {
		r.Names = append(r.Names, strings.Repeat("m", i+1))
		r.Panels[0].Series = append(r.Panels[0].Series, Series{{100, 90, nil}, {float64(50 + i), 80, &[2]float64{79, 81}}, {20, 1, nil}})
	}
	return &Figure{Title: "Curves & more", About: "Lines that fall.", Rows: []Row{r, r}}
}

// TestFigureIsWellFormed: the picture is XML whose identifiers are its own, and
// same figures give the same bytes.
func TestFigureIsWellFormed(t *testing.T) {
	svg := figure().SVG()
	if !bytes.Equal(svg, figure().SVG()) {
		t.Error("the same figure gives other bytes")
	}
	ids, d := map[string]bool{}, xml.NewDecoder(bytes.NewReader(svg))
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := tok.(xml.StartElement); ok {
			for _, a := range e.Attr {
				if a.Name.Local != "id" {
					continue
				}
				if ids[a.Value] {
					t.Errorf("two elements have the identifier %s", a.Value)
				}
				ids[a.Value] = true
			}
		}
	}
	for _, want := range []string{"not measured", "Curves &amp; more", "a &lt; b", "prefers-color-scheme:dark"} {
		if !bytes.Contains(svg, []byte(want)) {
			t.Errorf("%q is missing", want)
		}
	}
}

// TestStylesAreToldApartWithoutColour: no two series have marks and dashes in
// common.
func TestStylesAreToldApartWithoutColour(t *testing.T) {
	seen := map[string]int{}
	for i, s := range styles {
		key := s.shape + dashes[i]
		if s.hollow {
			key += "hollow"
		}
		if j, ok := seen[key]; ok {
			t.Errorf("series %d looks like %d", i, j)
		}
		seen[key] = i
	}
}

func TestAxes(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		ticks  []float64
	}{
		{0, 1, []float64{0, 0.5, 1}},
		{13, 98, []float64{0, 50, 100}},
		{0.92, 1.03, []float64{0.9, 0.95, 1, 1.05}},
		{91.5, 91.5, []float64{91, 91.5, 92}},
	} {
		a := newAxis(c.lo, c.hi, 10, 110)
		if !slices.EqualFunc(a.ticks, c.ticks, func(x, y float64) bool { return math.Abs(x-y) < 1e-9 }) {
			t.Errorf("%v to %v: ticks %v, want %v", c.lo, c.hi, a.ticks, c.ticks)
		}
		if math.Abs(a.at(a.lo)-10) > 1e-9 || math.Abs(a.at(a.hi)-110) > 1e-9 || a.lo > c.lo || a.hi < c.hi {
			t.Errorf("%v to %v: axis %+v", c.lo, c.hi, a)
		}
	}
}
