//go:build !amd64 || noasm

package kernel

// Without assembly every table holds its portable rows alone.
var (
	archIntPeaks      []peakRow
	archPeaks         []peakRow
	archAddCodes      []impl[addCodesLoop]
	archMaxCodes      []impl[maxCodesLoop]
	archGateCodes     []impl[gateCodesLoop]
	archMapCodes      []impl[mapCodesLoop]
	archSumCodes      []impl[sumCodesLoop]
	archScaleCodes    []impl[scaleCodesLoop]
	archSteps         []impl[stepLoop]
	archTiles         []tile
	archIntTiles      []intTile
	archIntDepthTiles []intTile
	archDepthLines    []depthLine
	archLowTiles      []lowTile
	archDepthwise     []impl[windowLoop]
	archMaxPool       []impl[windowLoop]
	archSumPool       []impl[windowLoop]
	archUnary         [unaryCount][]impl[unaryLoop]
	archBinary        [binaryCount][]impl[binaryLoop]
	archAffine        []impl[affineLoop]
	archGateRows      []impl[gateRowsLoop]
	archRowMax        []impl[reduceLoop]
	archRowSize       []impl[reduceLoop]
	archRowSum        []impl[reduceLoop]
	archExpSum        []impl[expSumLoop]
	archVariance      []impl[reduce2Loop]
	archNormalize     []impl[normalizeLoop]
	archEncodeSteps   []impl[gridLoop]
	archEncodeLevels  []impl[gridLoop]
	archQuantize      []impl[quantizeLoop]
	archDequantU8     []impl[dequantizeLoop]
	archDequantS8     []impl[dequantizeLoop]
	archFake          []impl[fakeLoop]
	archExpand        []impl[expandLoop]
	archTranspose     []impl[transposeLoop]
	archWinogradIn4   []impl[winogradInLoop]
	archWinogradIn2   []impl[winogradInLoop]
	archWinogradOut4  []impl[winogradOutLoop]
	archWinogradOut2  []impl[winogradOutLoop]

	archShortTiles      []intTile
	archSumsTiles       []intTile
	archIntWinogradIn4  []impl[intWinogradInLoop]
	archIntWinogradIn2  []impl[intWinogradInLoop]
	archIntWinogradOut4 []impl[intWinogradOutLoop]
	archIntWinogradOut2 []impl[intWinogradOutLoop]
)
