package kernel

// expandLanes is how many numbers of a row an expandLoop writes.
const expandLanes = 16

// expandArgs is one call of an expandLoop: lane l of every row of dst becomes,
// where bit l of mask is set, the next number of the row of src, and 0 elsewhere;
// with add set that is added to it. Up to expandLanes numbers of a row of src are
// read whatever the mask. Assembly reads it by offset (TestArgsLayout).
type expandArgs struct {
	dst, src       []float32
	ldd, lds, rows int // numbers from row to row
	mask           uint32
	add            bool
}

type expandLoop func(a *expandArgs)

// All rows of this table give the same bits.
var expandLoops = append(archExpand, impl[expandLoop]{"f32_1_go", 0, expandGo})

func expandGo(a *expandArgs) {
	for r := range a.rows {
		src, dst := a.src[r*a.lds:], a.dst[r*a.ldd:][:expandLanes]
		for l := range dst {
			v := float32(0)
			if a.mask>>l&1 != 0 {
				v, src = src[0], src[1:]
			}
			if a.add {
				v += dst[l]
			}
			dst[l] = v
		}
	}
}
