//go:build (!amd64 && !arm64) || noasm

package kernel

// Families that arm64 has assembly for, too.
var (
	archTiles         []tile
	archIntTiles      []intTile
	archIntDepthTiles []intTile
	archUnary         [unaryCount][]impl[unaryLoop]
	archBinary        [binaryCount][]impl[binaryLoop]
	archAffine        []impl[affineLoop]
	archAddCodes      []impl[addCodesLoop]
	archMaxCodes      []impl[maxCodesLoop]
	archGateCodes     []impl[gateCodesLoop]
	archMapCodes      []impl[mapCodesLoop]
	archQuantize      []impl[quantizeLoop]
	archDequantU8     []impl[dequantizeLoop]
	archDequantS8     []impl[dequantizeLoop]
	archFake          []impl[fakeLoop]
	archDepthwise     []impl[windowLoop]
	archMaxPool       []impl[windowLoop]
	archSumPool       []impl[windowLoop]
	archLowTiles      []lowTile
	archIntPeaks      []peakRow
	archPeaks         []peakRow
	archRowMax        []impl[reduceLoop]
	archRowSize       []impl[reduceLoop]
	archRowSum        []impl[reduceLoop]
	archExpSum        []impl[expSumLoop]
	archVariance      []impl[reduce2Loop]
	archNormalize     []impl[normalizeLoop]
	archTranspose     []impl[transposeLoop]
	archWinogradIn4   []impl[winogradInLoop]
	archWinogradIn2   []impl[winogradInLoop]
	archWinogradOut4  []impl[winogradOutLoop]
	archWinogradOut2  []impl[winogradOutLoop]
	archSteps         []impl[stepLoop]
	archEncodeSteps   []impl[gridLoop]
	archEncodeLevels  []impl[gridLoop]
	archExpand        []impl[expandLoop]
	archSplit         []splitRow
)
