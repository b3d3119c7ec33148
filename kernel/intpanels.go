package kernel

import (
	"fmt"
	"math"
)

// IntWeights are packed s8 weights of a convolution or product of integers,
// for sources of one zero point. They serve any batch, image size and stride.
type IntWeights struct {
	kh, kw, c, groups, o int
	runs                 intRuns
	zero                 uint8
	tile                 *intTile
	panels               []intPanel   // of one group after the other
	stack                *intStack    // nil: one term
	codes                *intCodes    // nil: panels hold the weights themselves
	line                 *lineWeights // nil: not depthwise, or no row takes them
}

// intPanel is as many columns as the tile is wide, one line of them per quad.
type intPanel struct {
	width int
	data  []int8
	start []int32
	// order and runs are the quads of the lines of a grouped panel.
	order []int32
	runs  []groupRun
}

// intRuns is how the source of one output pixel is read: taps runs of n
// bytes, each of which takes whole quads. Bytes behind a run meet weights of
// zero.
type intRuns struct{ taps, n int }

func (r intRuns) quads() int { return (r.n + 3) / 4 }

// intRunsOf joins the channels of a kernel row where pixels can be laid side by
// side and a run of its own for every pixel would waste much.
func intRunsOf(s *ConvShape) intRuns {
	if s.depthwise() {
		return intRuns{s.KH * s.KW, 1}
	}
	cg := s.C / s.Groups
	if cg%4 != 0 && s.DilW == 1 && s.Groups == 1 {
		return intRuns{s.KH, s.KW * cg}
	}
	return intRuns{s.KH * s.KW, cg}
}

// PackIntConv packs weights in OIHW order, [O][C/Groups][KH][KW], for sources
// with the given zero point: sums are Σ (src-zero)·w, in int32. An error
// reports a channel whose sum could pass that.
func PackIntConv(s ConvShape, w []int8, zero uint8) (*IntWeights, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if n := s.O * s.C / s.Groups * s.KH * s.KW; len(w) != n {
		return nil, fmt.Errorf("convolution weights: %d elements for [%d,%d,%d,%d]", len(w), s.O, s.C/s.Groups, s.KH, s.KW)
	}
	if _, err := bounds(s.O, w); err != nil {
		return nil, err
	}
	if s.depthwise() {
		p := pickIntTile(intDepthTiles).pack(s, w, zero)
		p.line = packLines(&s, w, zero)
		return p, nil
	}
	return pickIntTile(intTiles).pack(s, w, zero), nil
}

// pack packs weights that are known to fit.
func (t *intTile) pack(s ConvShape, w []int8, zero uint8) *IntWeights {
	p := t.empty(s, zero)
	cg, og, taps := s.C/s.Groups, s.O/s.Groups, s.KH*s.KW
	if t.form == formChannels {
		og = s.O
	}
	for o := range s.O {
		p.column(o%og, og, hwc(w[o*cg*taps:(o+1)*cg*taps], cg, taps))
	}
	p.arrange()
	return p
}

// empty is weights without any panel.
func (t *intTile) empty(s ConvShape, zero uint8) *IntWeights {
	return &IntWeights{kh: s.KH, kw: s.KW, c: s.C, groups: s.Groups, o: s.O, runs: intRunsOf(&s), zero: zero, tile: t}
}

// arrange brings complete panels of quads into the order that the tile reads.
func (p *IntWeights) arrange() {
	for i := range p.panels {
		switch {
		case p.tile.grouped:
			p.panels[i].group()
		case p.tile.form == formPlanes:
			p.panels[i].planes()
		}
	}
}

// planes brings the first bytes of all quads of a line together, then the second.
func (p *intPanel) planes() {
	quads := make([]int8, 4*p.width)
	for line := p.data; len(line) > 0; line = line[len(quads):] {
		copy(quads, line)
		for i, v := range quads {
			line[i%4*p.width+i/4] = v
		}
	}
}

// hwc brings the weights of a channel from [C][KH][KW] to [KH][KW][C].
func hwc(w []int8, c, taps int) []int8 {
	if taps == 1 {
		return w
	}
	out := make([]int8, len(w))
	for i := range c {
		for k, v := range w[i*taps:][:taps] {
			out[k*c+i] = v
		}
	}
	return out
}

// bounds returns the largest absolute weight of o channels and refuses sums
// that int32 does not hold.
func bounds(o int, w []int8) (largest int, err error) {
	for i := range o {
		sum := 0
		for _, v := range w[i*len(w)/o : (i+1)*len(w)/o] {
			a := max(int(v), -int(v))
			largest, sum = max(largest, a), sum+a
		}
		if math.MaxUint8*sum > math.MaxInt32 {
			return 0, fmt.Errorf("integer weights: channel %d adds up to %d, too much for sums of 32 bits", i, sum)
		}
	}
	return largest, nil
}

// column packs the weights of output channel j of og of a group.
func (p *IntWeights) column(j, og int, w []int8) {
	nr := p.tile.nr()
	lines := p.runs.taps * p.runs.quads()
	if j%nr == 0 {
		width := narrowest(p.tile.panels, og-j).width
		p.panels = append(p.panels, intPanel{width: width, data: make([]int8, lines*width*4), start: make([]int32, width)})
	}
	panel := &p.panels[len(p.panels)-1]
	sum := 0
	for _, v := range w {
		sum += int(v)
	}
	line, at := 4*panel.width, 4*(j%nr)
	for ; len(w) > 0; w = w[p.runs.n:] {
		run := w[:p.runs.n]
		for ; len(run) >= 4; run = run[4:] {
			*(*[4]int8)(panel.data[at:]) = [4]int8(run)
			at += line
		}
		if len(run) > 0 {
			p.tile.put(panel.data[at:], run)
			at += line
		}
	}
	panel.start[j%nr] = int32(-sum * (int(p.zero) - p.tile.lowered))
}

// Bytes is the memory that the packed weights take.
func (p *IntWeights) Bytes() int {
	n := 0
	for _, panel := range p.panels {
		n += len(panel.data) + 4*(len(panel.start)+len(panel.order)) + 16*len(panel.runs)
	}
	if p.stack != nil {
		n += p.stack.w.Bytes()
	}
	if p.line != nil {
		n += 4 * len(p.line.data)
	}
	return n
}
