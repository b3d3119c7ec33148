//go:build !amd64 || noasm

package kernel

// Families that only amd64 has assembly for: elsewhere tables hold their portable
// rows alone.
var (
	archIntPeaks     []peakRow
	archPeaks        []peakRow
	archSteps        []impl[stepLoop]
	archRowMax       []impl[reduceLoop]
	archRowSize      []impl[reduceLoop]
	archRowSum       []impl[reduceLoop]
	archExpSum       []impl[expSumLoop]
	archVariance     []impl[reduce2Loop]
	archNormalize    []impl[normalizeLoop]
	archEncodeSteps  []impl[gridLoop]
	archEncodeLevels []impl[gridLoop]
	archExpand       []impl[expandLoop]
	archTranspose    []impl[transposeLoop]
	archWinogradIn4  []impl[winogradInLoop]
	archWinogradIn2  []impl[winogradInLoop]
	archWinogradOut4 []impl[winogradOutLoop]
	archWinogradOut2 []impl[winogradOutLoop]
)
