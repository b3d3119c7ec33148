// Package tensor holds dense arrays of every ONNX element type, down to two
// bits packed four to a byte, and views of memory-mapped bytes.
//
// A Tensor owns or borrows little-endian bytes in C order. Borrowed bytes (a
// mapped file) must be treated as read-only: clone before writing.
package tensor
