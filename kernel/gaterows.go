package kernel

// gateRowsLoop computes dst[i*dstStep+j] = src[i*srcStep+j]·gate[j] for i < rows,
// which is above 0.
type gateRowsLoop func(dst, src, gate []float32, rows, dstStep, srcStep int)

var gateRowsLoops = append(archGateRows, impl[gateRowsLoop]{"f32_1_go", 0, gateRowsGo})

func gateRowsGo(dst, src, gate []float32, rows, dstStep, srcStep int) {
	for i := range rows {
		d, s := dst[i*dstStep:], src[i*srcStep:]
		for j, g := range gate {
			d[j] = s[j] * g
		}
	}
}

// gateRows multiplies rows of src by gate.
func gateRows(dst, src, gate []float32, rows, dstStep, srcStep int) {
	if n := len(gate); rows > 0 && n > 0 {
		pick(gateRowsLoops)(dst[:(rows-1)*dstStep+n], src[:(rows-1)*srcStep+n], gate, rows, dstStep, srcStep)
	}
}
