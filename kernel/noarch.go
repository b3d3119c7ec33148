//go:build !amd64 || noasm

package kernel

// Families that only amd64 has assembly for: elsewhere tables hold their portable
// rows alone.
var (
	archSumCodes           []impl[sumCodesLoop]
	archScaleCodes         []impl[scaleCodesLoop]
	archDepthLines         []depthLine
	archGateRows           []impl[gateRowsLoop]
	archShortTiles         []intTile
	archSumsTiles          []intTile
	archIntWinogradIn4     []impl[intWinogradInLoop]
	archIntWinogradIn2     []impl[intWinogradInLoop]
	archIntWinogradOut4    []impl[intWinogradOutLoop]
	archIntWinogradOut2    []impl[intWinogradOutLoop]
	archIntWinogradFilter4 []impl[intWinogradFilterLoop]
	archIntWinogradFilter2 []impl[intWinogradFilterLoop]
	archWinogradFilter4    []impl[winogradFilterLoop]
	archWinogradFilter2    []impl[winogradFilterLoop]
	archOuter              []outerTile
	archWinogradSpread4    []impl[winogradInLoop]
	archWinogradSpread2    []impl[winogradInLoop]
	archWinogradGather4    []impl[winogradInLoop]
	archWinogradGather2    []impl[winogradInLoop]
	archDepthGrad          []impl[depthGradLoop]
	archMoments            []impl[momentsLoop]
	archTotals             []impl[totalsLoop]
	archNormGradSums       []impl[normGradSumsLoop]
	archNormRows           []impl[normRowsLoop]
	archNormGrad           []impl[normGradLoop]
	archClampGrad          []impl[clampGradLoop]
	archAddScaled          []impl[addScaledLoop]
	archDescent            []impl[descentLoop]
	archAdam               []impl[adamLoop]
	archAdamax             []impl[adamLoop]
)
