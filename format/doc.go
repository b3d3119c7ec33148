// Package format holds the number formats that weights are stored in: uniform
// grids of 2 to 8 bits and power grids (PowerQuant), per tensor, per channel or
// per block.
//
// A Spec describes a format; Rows lists what each storage needs of ONNX and how
// large its error may be. Encode turns a tensor into codes, scales and zero
// points, and Decode turns them back with the very float32 operations of the
// ONNX form that Emit writes, so that a written file equals the simulation bit
// for bit. Match recognises the forms, those of other tools included, and
// verifies them.
package format
