package demo

import "math/rand/v2"

// Classes names what the pictures show, by label.
var Classes = []string{
	"disc", "ring", "square", "frame", "triangle", "plus", "cross", "horizontal stripes", "vertical stripes", "checkerboard",
}

// Side is the width and height of a picture in pixels.
const Side = 32

// Record is the length of one picture in bytes, label included.
const Record = 1 + 3*Side*Side

// Held is the seed of the held-out pictures; the network has not seen them.
const Held = 2

// Draw draws n pictures, a random figure each, as records of the CIFAR-10
// binary form: a label byte, then red, green and blue planes.
func Draw(seed uint64, n int) []byte {
	out := make([]byte, 0, n*Record)
	for i := range n {
		// A generator for each picture: picture i is the same in every n.
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		out = appendPicture(out, r)
	}
	return out
}

// figure is a figure at a place; lengths are in half pixels.
type figure struct {
	class  int
	cx, cy int
	size   int // half the extent
	width  int // of lines and borders
	phase  int // of stripes
	turn   turn
}

// turn is a rotation by the angle of cosine c/r and sine s/r.
type turn struct{ c, s, r int }

// turns are small angles with whole-numbered triangles.
var turns = []turn{{1, 0, 1}, {24, 7, 25}, {24, -7, 25}, {84, 13, 85}, {84, -13, 85}}

func appendPicture(out []byte, r *rand.Rand) []byte {
	f := figure{class: r.IntN(len(Classes)), size: 12 + r.IntN(13), phase: r.IntN(16), turn: turns[r.IntN(len(turns))]}
	f.width = 4 + r.IntN(f.size/3)
	room := 2*Side - 2*f.size
	f.cx, f.cy = f.size+r.IntN(room), f.size+r.IntN(room)

	ground, ink := colours(r)
	slope := [2]int{r.IntN(7) - 3, r.IntN(7) - 3}
	noise := 12 + r.IntN(64)
	spots := distractors(r)
	hidden, cover := cover(r)

	out = append(out, byte(f.class))
	for c := range 3 {
		for y := range Side {
			for x := range Side {
				v := ground[c] + slope[0]*(x-Side/2) + slope[1]*(y-Side/2)
				switch {
				case hidden.contains(x, y):
					v = cover[c]
				case f.covers(2*x+1, 2*y+1) || spots[y*Side+x]:
					v = ink[c]
				}
				v += r.IntN(2*noise+1) - noise
				out = append(out, byte(min(max(v, 0), 255)))
			}
		}
	}
	return out
}

// colours picks two colours that differ enough to be told apart.
func colours(r *rand.Rand) (ground, ink [3]int) {
	for {
		distance := 0
		for c := range 3 {
			ground[c], ink[c] = 20+r.IntN(216), 20+r.IntN(216)
			distance += max(ground[c]-ink[c], ink[c]-ground[c])
		}
		if distance > 120 {
			return ground, ink
		}
	}
}

// distractors marks a few single pixels that take the figure's colour.
func distractors(r *rand.Rand) (spots [Side * Side]bool) {
	for range r.IntN(24) {
		spots[r.IntN(len(spots))] = true
	}
	return spots
}

// rectangle is an area in pixels, its right and lower edge left out.
type rectangle struct{ x0, y0, x1, y1 int }

func (a rectangle) contains(x, y int) bool {
	return a.x0 <= x && x < a.x1 && a.y0 <= y && y < a.y1
}

// cover is a rectangle in a colour of its own that may hide part of the figure.
func cover(r *rand.Rand) (a rectangle, colour [3]int) {
	a.x0, a.y0 = r.IntN(Side), r.IntN(Side)
	a.x1, a.y1 = a.x0+3+r.IntN(6), a.y0+3+r.IntN(6)
	for c := range colour {
		colour[c] = 20 + r.IntN(216)
	}
	return a, colour
}

// stripes is added to coordinates so that they count from a point outside the
// figure and stay positive.
const stripes = 2 * Side

// covers reports whether the figure has ink at a point given in half pixels.
func (f figure) covers(x, y int) bool {
	px, py := x-f.cx, y-f.cy
	dx, dy := (f.turn.c*px-f.turn.s*py)/f.turn.r, (f.turn.s*px+f.turn.c*py)/f.turn.r
	ax, ay := max(dx, -dx), max(dy, -dy)
	if max(ax, ay) > f.size {
		return false
	}
	r2 := dx*dx + dy*dy
	inner := f.size - f.width
	switch f.class {
	case 0:
		return r2 <= f.size*f.size
	case 1:
		return r2 <= f.size*f.size && r2 >= inner*inner
	case 2:
		return true
	case 3:
		return max(ax, ay) >= inner
	case 4:
		return 2*ax <= dy+f.size
	case 5:
		return min(ax, ay) <= f.width/2
	case 6:
		return max(ax-ay, ay-ax) <= f.width*7/10
	case 7:
		return (dy+stripes+f.phase)/f.width%2 == 0
	case 8:
		return (dx+stripes+f.phase)/f.width%2 == 0
	default:
		return ((dx+stripes+f.phase)/f.width+(dy+stripes+f.phase)/f.width)%2 == 0
	}
}
