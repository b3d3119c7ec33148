// Package kernel holds the inner loops of the engine: convolution, matrix
// products, pooling, element-wise functions, quantisation and layout changes
// over raw slices. It knows no tensors.
//
// Every loop is a row of a table: generated assembly for AVX-512 and for
// AVX2+FMA, on arm64 for NEON, and a portable Go row that needs nothing. Dispatch takes the first
// row that internal/cpu allows, so PARE_CPU reaches every row; Table lists
// them all. Activations are NHWC; a "stride" in elements between neighbouring
// pixels lets a kernel read and write slices of wider tensors in place.
//
// All kinds of assembly give the same bits except in matrix products and
// convolutions, whose sums are cut into blocks of different lengths. They give
// those of the portable rows, too, for functions of two operands, Affine,
// HardSwish, Sqrt, pooling, RowMax, quantisation, layout, Normalization, clamps, the steps
// of optimisers and everything on codes; elsewhere they differ within the errors documented.
//
// A convolution by 3x3 filters has two forms: Conv, the sums that define it, and
// Winograd, which needs up to four times fewer products. WinogradTile says which
// one is faster. So do IntConv, IntWinograd and IntWinogradTile for codes, where both
// forms give the same bits. Split is a third form, of filters that share slices or
// are mostly zeros; SplitPays says where it is faster than both.
//
// Training needs gradients: ConvInputGrad and ConvWeightGrad choose their forms
// themselves, and all packed weights can be filled again in place (Repack). Sums over a
// batch are cut into slices by shape, each with memory of its own, and added in order.
//
// Functions panic when a slice is too short for the shape it is used with, as
// indexing does; constructors return errors for shapes that make no sense.
// Work is split into tasks by shape alone, so results do not depend on the
// number of threads.
package kernel

//go:generate go -C _asm run .
