package kernel

// CodeMap is a function of u8 codes, given by its values.
type CodeMap struct {
	values [256]uint8
	// rows are the values 16 by 16, as differences (xor) to the row before but
	// for the first of both halves: see mapped in _asm/codes.
	rows [256]uint8
}

// NewCodeMap is the function with the value values[q] at q.
func NewCodeMap(values [256]uint8) *CodeMap {
	m := &CodeMap{values: values, rows: values}
	for i := range values {
		if i%128 >= 16 {
			m.rows[i] ^= values[i-16]
		}
	}
	return m
}

// mapCodesLoop writes the value of every code.
type mapCodesLoop func(dst, src []uint8, m *CodeMap)

var mapCodesLoops = append(archMapCodes, impl[mapCodesLoop]{"u8_1_go", 0, mapCodesGo})

// Run writes the value of every code of src; dst has its length and may be src.
func (m *CodeMap) Run(dst, src []uint8) { pick(mapCodesLoops)(dst[:len(src)], src, m) }

func mapCodesGo(dst, src []uint8, m *CodeMap) {
	dst = dst[:len(src)]
	for i, q := range src {
		dst[i] = m.values[q]
	}
}
