package kernel

import "fmt"

// InputGradWeights are weights packed for a ConvInputGrad. They are packed again
// after every change, by tasks that may run at the same time.
type InputGradWeights struct {
	s      ConvShape
	phases []phaseWeights
	conv   *ConvWeights
	wino   *WinogradWeights
	depth  []float32 // turned, [KH][KW][C]
}

// phaseWeights are those that one class of pixels sees: for every group Panels of
// the matrix [taps·O/Groups, C/Groups], with taps in the order listed.
type phaseWeights struct {
	taps  []int // ky·KW + kx
	group []*Panels
}

// NewWeights returns weights of the plan, to be filled by Repack. Plans of the same
// filters, padding and form can share them.
func (g *ConvInputGrad) NewWeights() *InputGradWeights {
	w := &InputGradWeights{s: g.s}
	g.plan.newWeights(w)
	return w
}

// newPhase adds the matrices of one class of pixels.
func (w *InputGradWeights) newPhase(taps []int) {
	p := phaseWeights{taps: taps}
	for range w.s.Groups {
		panels, err := NewPanels(len(taps)*w.s.O/w.s.Groups, w.s.C/w.s.Groups, nil)
		if err != nil {
			panic(err) // the shape has been checked
		}
		p.group = append(p.group, panels)
	}
	w.phases = append(w.phases, p)
}

func (w *InputGradWeights) newDepth() { w.depth = make([]float32, w.s.KH*w.s.KW*w.s.C) }

// reversed lists n-1 to 0.
func reversed(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = n - 1 - i
	}
	return list
}

// panels is how many panels the columns of one group make.
func (w *InputGradWeights) panels() int {
	nr := pickTile().nr
	return (w.s.C/w.s.Groups + nr - 1) / nr
}

// PackTasks is the number of independent tasks of Repack.
func (w *InputGradWeights) PackTasks() int {
	if w.depth != nil {
		return 1
	}
	return w.panels() * w.s.Groups
}

// PackFloats is how much scratch one running task of Repack needs.
func (w *InputGradWeights) PackFloats() int {
	if w.depth != nil {
		return 0
	}
	line := w.s.KH * w.s.KW * pickTile().nr
	if w.wino != nil {
		return line + line*w.s.O
	}
	return line
}

// Repack fills the part of one task from weights in OIHW order, [O][C/Groups][KH][KW].
func (w *InputGradWeights) Repack(task int, oihw, scratch []float32) {
	s, taps := &w.s, w.s.KH*w.s.KW
	if len(oihw) != s.O*s.C/s.Groups*taps {
		panic(fmt.Sprintf("kernel: %d weights for the convolution %+v", len(oihw), *s))
	}
	switch {
	case w.depth != nil:
		Transpose(w.depth, oihw, s.C, taps)
		turnLines(w.depth, taps, s.C)
	case w.wino != nil:
		w.repackWinograd(task, oihw, scratch)
	default:
		g, j := task/w.panels(), task%w.panels()
		tile := pickTile()
		at := j * tile.nr
		cols := min(tile.nr, s.C/s.Groups-at)
		for o := range s.O / s.Groups {
			lines := w.turnLine(scratch, oihw, g, o, at, cols)
			for _, p := range w.phases {
				data, width := p.group[g].panel(j)
				for t, tap := range p.taps {
					line := data[(t*s.O/s.Groups+o)*width:][:width]
					clear(line[copy(line, lines[tap*cols:(tap+1)*cols]):])
				}
			}
		}
	}
}

// turnLine returns the weights of output o for source channels at to at+cols of group
// g, tap by tap, in scratch unless they lie so.
func (w *InputGradWeights) turnLine(scratch, oihw []float32, g, o, at, cols int) []float32 {
	s, taps := &w.s, w.s.KH*w.s.KW
	from := ((g*s.O/s.Groups+o)*s.C/s.Groups + at) * taps
	filters := oihw[from : from+cols*taps]
	if taps == 1 {
		return filters
	}
	Transpose(scratch[:cols*taps], filters, cols, taps)
	return scratch
}

func (w *InputGradWeights) repackWinograd(task int, oihw, scratch []float32) {
	data, width := w.wino.panel(task)
	at := task * w.wino.tile.nr
	cols := min(width, w.s.C-at)
	plain := scratch[9*cols:][:9*w.s.O*width]
	for o := range w.s.O {
		line := w.turnLine(scratch[:9*cols], oihw, 0, o, at, cols)
		for tap := range 9 {
			d := plain[((8-tap)*w.s.O+o)*width:][:width]
			clear(d[copy(d, line[tap*cols:(tap+1)*cols]):])
		}
	}
	w.wino.transform(data, plain)
}

// turnLines reverses the order of lines of n elements.
func turnLines(x []float32, lines, n int) {
	for i := range lines / 2 {
		a, b := x[i*n:(i+1)*n], x[(lines-1-i)*n:(lines-i)*n]
		for j := range a {
			a[j], b[j] = b[j], a[j]
		}
	}
}
