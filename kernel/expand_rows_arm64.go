//go:build !noasm

package kernel

import "unsafe"

var archExpand = neon[expandLoop]("f32_16_neon", func(a *expandArgs) {
	var index [4 * expandLanes]uint8
	from := uint8(0)
	for l := range expandLanes {
		for i := range uint8(4) {
			// What lies beyond the numbers gives 0.
			index[4*l+int(i)] = 255
			if a.mask>>l&1 != 0 {
				index[4*l+int(i)] = from + i
			}
		}
		if a.mask>>l&1 != 0 {
			from += 4
		}
	}
	expandNEON((*byte)(unsafe.Pointer(a)), &index[0])
})
