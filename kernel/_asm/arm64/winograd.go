package main

import (
	"fmt"
	"slices"

	. "pare-asm/neon"
)

// form is one size of Winograd's tiles: edge m of the output, and the transforms
// of a line of the input and of the output.
type form struct {
	m       int
	in, out func(l *line, want []int)
	// inParts and outParts are results of the first direction that stay in
	// registers until the other follows.
	inParts, outParts [][]int
}

func winograd(f *File) {
	for _, w := range []form{
		{4, (*line).in4, (*line).out4, [][]int{{1, 2}, {3, 4}, {0, 5}}, [][]int{{0, 2}, {1, 3}}},
		{2, (*line).in2, (*line).out2, [][]int{{0, 1, 2, 3}}, [][]int{{0, 1}}},
	} {
		winogradIn(f, w)
		winogradOut(f, w)
	}
}

// The points of the transform for 4x4 outputs are 0, ±p, ±q and infinity, those
// of kernel/winogradgo.go; all powers in use are exact.
const pointP, pointQ = 0.625, 1.5

// line is one transform of a line.
type line struct {
	*File
	*pool
	// from returns value i, which must not be changed, and to takes result i.
	from func(i int) V
	to   func(i int, v V)
}

// pool hands out vector registers.
type pool struct{ used [32]bool }

func (p *pool) take() V {
	v := slices.Index(p.used[:], false)
	if v < 0 {
		panic("arm64: out of registers")
	}
	p.used[v] = true
	return V(v)
}

// scope gives back the registers that f took, but for those that it returns.
func (p *pool) scope(f func() (keep []V)) {
	before := p.used
	keep := f()
	p.used = before
	for _, v := range keep {
		p.used[v] = true
	}
}

// sum is x + c·y.
func (l *line) sum(x V, c float32, y V) V {
	v := l.take()
	switch c {
	case 1:
		l.Do(FADD, v, x, y)
	case -1:
		l.Do(FSUB, v, x, y)
	default:
		l.Move(v, x)
		l.add(v, c, y)
	}
	return v
}

// add adds c·y to v.
func (l *line) add(v V, c float32, y V) {
	op := FMLA
	switch {
	case c == 1:
		l.Do(FADD, v, v, y)
		return
	case c == -1:
		l.Do(FSUB, v, v, y)
		return
	case c < 0:
		op, c = FMLS, -c
	}
	l.Const(factorV, wgConstsR, c)
	l.Do(op, v, y, factorV)
}

// times is c·x.
func (l *line) times(c float32, x V) V {
	v := l.take()
	l.Const(v, wgConstsR, c)
	l.Do(FMUL, v, v, x)
	return v
}

// factorV holds the factor at hand.
const factorV V = 31

func has(want []int, i ...int) bool {
	return slices.ContainsFunc(i, func(i int) bool { return slices.Contains(want, i) })
}

// in4 multiplies by Π(x-pⱼ) over the points but the result's own.
func (l *line) in4(want []int) {
	const p, q = pointP, pointQ
	d := l.from
	if has(want, 0) {
		v := l.sum(d(4), -(p*p + q*q), d(2))
		l.add(v, p*p*q*q, d(0))
		l.to(0, v)
	}
	pair := func(i int, own, other float32) {
		even, odd := l.sum(d(4), -other*other, d(2)), l.sum(d(3), -other*other, d(1))
		l.to(i, l.sum(even, own, odd))
		l.add(even, -own, odd)
		l.to(i+1, even)
	}
	if has(want, 1, 2) {
		pair(1, p, q)
	}
	if has(want, 3, 4) {
		pair(3, q, p)
	}
	if has(want, 5) {
		v := l.sum(d(5), -(p*p + q*q), d(3))
		l.add(v, p*p*q*q, d(1))
		l.to(5, v)
	}
}

// out4 evaluates powers 0 to 3 at the points.
func (l *line) out4(want []int) {
	const p, q = pointP, pointQ
	d := l.from
	if has(want, 0, 2) {
		s, t := l.sum(d(1), 1, d(2)), l.sum(d(3), 1, d(4))
		v := l.sum(d(0), 1, s)
		l.add(v, 1, t)
		l.to(0, v)
		w := l.times(p*p, s)
		l.add(w, q*q, t)
		l.to(2, w)
	}
	if has(want, 1, 3) {
		s, t := l.sum(d(1), -1, d(2)), l.sum(d(3), -1, d(4))
		v := l.times(p, s)
		l.add(v, q, t)
		l.to(1, v)
		w := l.sum(d(5), p*p*p, s)
		l.add(w, q*q*q, t)
		l.to(3, w)
	}
}

// in2 and out2 have the points 0, ±1 and infinity.
func (l *line) in2(want []int) {
	for _, i := range want {
		a, b := [4]int{2, 1, 2, 3}[i], [4]int{0, 2, 1, 1}[i]
		l.to(i, l.sum(l.from(a), [4]float32{-1, 1, -1, -1}[i], l.from(b)))
	}
}

func (l *line) out2(want []int) {
	for _, i := range want {
		v := l.sum(l.from([2]int{0, 3}[i]), 1, l.from(1))
		l.add(v, [2]float32{1, -1}[i], l.from(2))
		l.to(i, v)
	}
}

// General registers of transforms.
const (
	wgSrcR  R = 1
	wgDstR  R = 2
	wgLeftR R = 3 // channels left
	wgStepR R = 4 // bytes to the next line of the first direction

	wgTapR    R = 6
	wgAtR     R = 7
	wgToR     R = 8
	wgTmpR    R = 9
	wgIndexR  R = 10 // bytes of the channels done
	wgFarR    R = 11 // multiples 1 to 5 of a distance, of taps for a start
	wgNearR   R = 19 // likewise, of pixels
	wgConstsR R = 17
)

// multiples sets five registers to multiples of the distance in the first.
func multiples(f *File, first R) {
	for i := R(1); i < 5; i++ {
		f.Go("ADD %v, %v, %v", first, first+i-1, first+i)
	}
}

// loadFar reads v at a multiple of the distance in a register.
func loadFar(f *File, v V, base, first R, i int) {
	if i == 0 {
		f.Load(Full, v, base, 0)
		return
	}
	f.LoadAt(Full, v, base, first+R(i-1))
}

// lines transforms lines of a square in one direction and keeps the results of
// part, by place and line, in registers of the pool.
func (p *pool) lines(f *File, n int, part []int, do func(*line, []int), load func(i int, v V), step func()) map[int][]V {
	kept := map[int][]V{}
	for range n {
		p.scope(func() (keep []V) {
			seen := map[int]V{}
			l := &line{File: f, pool: p}
			l.from = func(i int) V {
				if _, ok := seen[i]; !ok {
					seen[i] = l.take()
					load(i, seen[i])
				}
				return seen[i]
			}
			l.to = func(i int, v V) {
				if slices.Contains(part, i) {
					kept[i], keep = append(kept[i], v), append(keep, v)
				}
			}
			do(l, part)
			return keep
		})
		step()
	}
	return kept
}

func all(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

func newPool() *pool {
	p := &pool{}
	p.used[factorV] = true
	return p
}

// winogradInArgs loads the arguments.
func winogradInArgs(f *File) {
	f.Go("MOVD dst_base+0(FP), %v", wgDstR)
	f.Go("MOVD src_base+24(FP), %v", wgSrcR)
	f.Go("MOVD c+48(FP), %v", wgLeftR)
	for _, p := range []struct {
		name string
		to   R
	}{{"row+56", wgStepR}, {"pixel+64", wgNearR}, {"tap+72", wgTapR}} {
		f.Go("MOVD %s(FP), %v", p.name, p.to)
		f.Go("LSL $2, %v, %v", p.to, p.to)
	}
	multiples(f, wgNearR)
}

// winogradIn writes the transform of one tile of the source, rows first.
func winogradIn(f *File, w form) {
	edge := w.m + 2
	f.Text(fmt.Sprintf("winogradIn%dNEON", w.m), "(dst, src []float32, c, row, pixel, tap int)", 80, "transforms a tile of the source.")
	winogradInArgs(f)
	f.Go("MOVD $%d, %v", edge, wgTmpR)
	f.Go("MUL %v, %v, %v", wgTmpR, wgTapR, wgFarR)
	multiples(f, wgFarR)
	f.Consts(wgConstsR)
	f.Label("channels")
	for _, part := range w.inParts {
		f.Go("MOVD %v, %v", wgSrcR, wgAtR)
		p := newPool()
		cols := p.lines(f, edge, part, w.in,
			func(x int, v V) { loadFar(f, v, wgAtR, wgNearR, x) },
			func() { f.Go("ADD %v, %v, %v", wgStepR, wgAtR, wgAtR) })
		for _, x := range part {
			f.Go("MOVD $%d, %v", x, wgTmpR)
			f.Go("MADD %v, %v, %v, %v", wgTapR, wgDstR, wgTmpR, wgToR)
			l := &line{File: f, pool: p, from: func(y int) V { return cols[x][y] }}
			l.to = func(y int, v V) {
				if y == 0 {
					f.Store(Full, v, wgToR, 0)
					return
				}
				f.StoreAt(v, wgToR, wgFarR+R(y-1))
			}
			p.scope(func() []V { w.in(l, all(edge)); return nil })
		}
	}
	f.Go("ADD $16, %v, %v", wgSrcR, wgSrcR)
	f.Go("ADD $16, %v, %v", wgDstR, wgDstR)
	f.Go("SUBS $4, %v, %v", wgLeftR, wgLeftR)
	f.Go("BGT channels")
	f.Go("RET")
}
