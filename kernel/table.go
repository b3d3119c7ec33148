package kernel

import "pare/internal/cpu"

// Row describes one kernel for listings.
type Row struct {
	// Family groups rows that compute the same thing.
	Family string
	// Name is types_tile_feature, e.g. "f32_12x32_avx512".
	Name string
	// Needs is what the processor must offer.
	Needs cpu.Features
	// Runs reports whether the machine and PARE_CPU allow the row.
	Runs bool
}

// Table lists every kernel of this build, family by family, best row first.
func Table() []Row {
	var rows []Row
	add := func(family, name string, needs cpu.Features) {
		rows = append(rows, Row{family, name, needs, cpu.Has(needs)})
	}
	for _, t := range tiles {
		add("tile", t.name, t.needs)
	}
	for _, t := range outerTiles {
		add("outer", t.name, t.needs)
	}
	for _, t := range intTiles {
		add("inttile", t.name, t.needs)
	}
	for _, t := range intDepthTiles {
		add("intdepthwise", t.name, t.needs)
	}
	for _, t := range shortTiles {
		add("shorttile", t.name, t.needs)
	}
	for _, t := range sumsTiles {
		add("sumstile", t.name, t.needs)
	}
	for _, l := range archDepthLines {
		add("depthline", l.name, l.needs)
	}
	for _, t := range lowTiles {
		add("low", t.name, t.needs)
	}
	for _, r := range splitRows {
		add("split", r.name, r.needs)
	}
	rows = append(rows, list("depthwise", depthwiseLoops)...)
	rows = append(rows, list("depthgrad", depthGradLoops)...)
	rows = append(rows, list("maxpool", maxLoops)...)
	rows = append(rows, list("sumpool", sumLoops)...)
	for op := range binaryCount {
		rows = append(rows, list(op.String(), binaryLoops[op])...)
	}
	for op := range unaryCount {
		rows = append(rows, list(op.String(), unaryLoops[op])...)
	}
	rows = append(rows, list("affine", affineLoops)...)
	rows = append(rows, list("gaterows", gateRowsLoops)...)
	rows = append(rows, list("rowmax", rowMaxLoops)...)
	rows = append(rows, list("rowsize", rowSizeLoops)...)
	rows = append(rows, list("rowsum", rowSumLoops)...)
	rows = append(rows, list("expsum", expSumLoops)...)
	rows = append(rows, list("variance", varianceLoops)...)
	rows = append(rows, list("normalize", normalizeLoops)...)
	rows = append(rows, list("moments", momentsLoops)...)
	rows = append(rows, list("totals", totalsLoops)...)
	rows = append(rows, list("normgradsums", normGradSumsLoops)...)
	rows = append(rows, list("normrows", normRowsLoops)...)
	rows = append(rows, list("normgrad", normGradLoops)...)
	rows = append(rows, list("clampgrad", clampGradLoops)...)
	rows = append(rows, list("addscaled", addScaledLoops)...)
	rows = append(rows, list("descent", descentLoops)...)
	rows = append(rows, list("adam", adamLoops)...)
	rows = append(rows, list("adamax", adamaxLoops)...)
	rows = append(rows, list("quantize", quantizeLoops)...)
	rows = append(rows, list("encodesteps", encodeStepsLoops)...)
	rows = append(rows, list("encodelevels", encodeLevelsLoops)...)
	rows = append(rows, list("dequantize_u8", dequantU8)...)
	rows = append(rows, list("dequantize_s8", dequantS8)...)
	rows = append(rows, list("fakequantize", fakeLoops)...)
	rows = append(rows, list("addcodes", addCodesLoops)...)
	rows = append(rows, list("maxcodes", maxCodesLoops)...)
	rows = append(rows, list("gatecodes", gateCodesLoops)...)
	rows = append(rows, list("mapcodes", mapCodesLoops)...)
	rows = append(rows, list("sumcodes", sumCodesLoops)...)
	rows = append(rows, list("scalecodes", scaleCodesLoops)...)
	rows = append(rows, list("expand", expandLoops)...)
	rows = append(rows, list("steps", stepLoops)...)
	rows = append(rows, list("transpose", transposeLoops)...)
	rows = append(rows, list("winograd4in", winogradIn4Loops)...)
	rows = append(rows, list("winograd4out", winogradOut4Loops)...)
	rows = append(rows, list("winograd2in", winogradIn2Loops)...)
	rows = append(rows, list("winograd2out", winogradOut2Loops)...)
	rows = append(rows, list("winograd4filter", winogradFilter4Loops)...)
	rows = append(rows, list("winograd2filter", winogradFilter2Loops)...)
	rows = append(rows, list("winograd4spread", winogradSpread4Loops)...)
	rows = append(rows, list("winograd4gather", winogradGather4Loops)...)
	rows = append(rows, list("winograd2spread", winogradSpread2Loops)...)
	rows = append(rows, list("winograd2gather", winogradGather2Loops)...)
	rows = append(rows, list("intwinograd4in", intWinogradIn4Loops)...)
	rows = append(rows, list("intwinograd4filter", intWinogradFilter4Loops)...)
	rows = append(rows, list("intwinograd4out", intWinogradOut4Loops)...)
	rows = append(rows, list("intwinograd2in", intWinogradIn2Loops)...)
	rows = append(rows, list("intwinograd2filter", intWinogradFilter2Loops)...)
	rows = append(rows, list("intwinograd2out", intWinogradOut2Loops)...)
	return rows
}
