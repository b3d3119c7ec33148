// Package engine compiles a model into an immutable program and runs it on the
// CPU: operators are fused, convolutional regions are laid out with channels
// last, weights are decoded and packed once, memory is planned into one arena
// per session, and steps are spread over threads.
//
// The way of a model: Compile copies and simplifies it. Session.Run specialises
// the program for the shapes of its inputs: types are inferred, every node is
// lowered by its row in the table to steps that call package kernel, and what
// has no row, or whose row declines, becomes a step that calls the reference
// evaluation of package op. Adding a fast operator is a row and a function.
//
// Between pairs of QuantizeLinear and DequantizeLinear values stay codes of 8
// bits, and convolutions, products, sums and whatever only moves elements compute
// on them by exact integer kernels (intForms). Where something reads such a value
// as floats, it is decoded once.
//
// Values of type f32, f16 and bf16 are "real": steps compute them in float32.
// Everything else (integers, strings, sequences) lives in boxes as package op
// knows it. Work is split by shape alone, so results are the same bits for any
// number of threads.
package engine
