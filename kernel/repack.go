package kernel

import "fmt"

// NewConvWeights returns weights of a convolution of the shape, to be filled by Repack.
func NewConvWeights(s ConvShape) (*ConvWeights, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	w := &ConvWeights{kh: s.KH, kw: s.KW, c: s.C, groups: s.Groups, o: s.O}
	for range s.Groups {
		p, err := NewPanels(s.KH*s.KW*s.C/s.Groups, s.O/s.Groups, nil)
		if err != nil {
			return nil, err
		}
		w.group = append(w.group, p)
	}
	return w, nil
}

// PackTasks is the number of independent tasks of Repack.
func (w *ConvWeights) PackTasks() int { return w.groups * w.group[0].Count() }

// PackFloats is how much scratch one running task of Repack needs.
func (w *ConvWeights) PackFloats() int { return w.group[0].tile.nr * w.group[0].k }

// Repack fills the part of one task from weights in OIHW order, [O][C/Groups][KH][KW].
func (w *ConvWeights) Repack(task int, oihw, scratch []float32) {
	p := w.group[task/w.group[0].Count()]
	if len(oihw) != w.o*p.k {
		panic(fmt.Sprintf("kernel: %d weights for [%d,%d,%d,%d]", len(oihw), w.o, w.c/w.groups, w.kh, w.kw))
	}
	i := task % p.Count()
	at := i * p.tile.nr
	data, width := p.panel(i)
	o := task/p.Count()*p.n + at
	packFilters(data, oihw[o*p.k:(o+min(width, p.n-at))*p.k], scratch, width, w.c/w.groups, w.kh*w.kw)
}

// packFilters writes filters in OIHW order, of c channels and taps, as lines of width
// columns in the order of tap and channel.
func packFilters(dst, filters, scratch []float32, width, c, taps int) {
	k := taps * c
	n, rows := len(filters)/k, filters
	if taps > 1 {
		rows = scratch[:n*k]
		for o := range n {
			Transpose(rows[o*k:(o+1)*k], filters[o*k:(o+1)*k], c, taps)
		}
	}
	packPanel(dst, width, k, Source{Data: rows, LD: k, Trans: true}, 0, n)
}

// NewWinogradWeights returns weights of Winograd's form in tiles of m×m outputs, to be
// filled by Repack.
func NewWinogradWeights(s ConvShape, m int) (*WinogradWeights, error) {
	if err := s.checkWinograd(m); err != nil {
		return nil, err
	}
	return newWinogradWeights(s, m), nil
}

// PackTasks is the number of independent tasks of Repack.
func (p *WinogradWeights) PackTasks() int { return (p.o + p.tile.nr - 1) / p.tile.nr }

// PackFloats is how much scratch one running task of Repack needs.
func (p *WinogradWeights) PackFloats() int { return 2 * 9 * p.c * p.tile.nr }

// Repack fills the part of one task from filters in OIHW order, [O][C][3][3]; the
// result is that of PackWinograd.
func (p *WinogradWeights) Repack(task int, oihw, scratch []float32) {
	if len(oihw) != p.o*p.c*9 {
		panic(fmt.Sprintf("kernel: %d weights for [%d,%d,3,3]", len(oihw), p.o, p.c))
	}
	data, width := p.panel(task)
	o := task * p.tile.nr
	plain := scratch[:9*p.c*width]
	packFilters(plain, oihw[o*p.c*9:min(p.o, o+width)*p.c*9], scratch[len(plain):], width, p.c, 9)
	p.transform(data, plain)
}

// transform fills a panel of all taps from one of the nine of the filters.
func (p *WinogradWeights) transform(dst, src []float32) {
	loop := pick(winogradFilter2Loops)
	if p.m == 4 {
		loop = pick(winogradFilter4Loops)
	}
	loop(dst, src, len(src)/9)
}

// RepackDepthwise is PackDepthwise into a slice of the same length.
func RepackDepthwise(s ConvShape, dst, w []float32) { Transpose(dst, w, s.C, s.KH*s.KW) }

// winogradFilterLoop transforms n filters at a time: tap t of filter i is src[t·n+i],
// and result r goes to dst[r·n+i]. Sums run in float64 and are rounded once.
type winogradFilterLoop func(dst, src []float32, n int)

var (
	winogradFilter4Loops = append(archWinogradFilter4, impl[winogradFilterLoop]{"f32_1_go", 0, winogradFilterGo(4)})
	winogradFilter2Loops = append(archWinogradFilter2, impl[winogradFilterLoop]{"f32_1_go", 0, winogradFilterGo(2)})
)

func winogradFilterGo(m int) winogradFilterLoop {
	g := winogradFilter(m)
	return func(dst, src []float32, n int) {
		var w [9]float32
		for i := range n {
			for t := range w {
				w[t] = src[t*n+i]
			}
			transformFilter(dst[i:], n, w[:], g)
		}
	}
}
