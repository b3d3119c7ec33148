// Package hugepage allocates memory that the system is asked to back by large
// pages. Packed weights are read once per run from end to end: with pages of
// 4 KiB the processor looks up a thousand translations for every four megabytes,
// which costs a product with few rows up to a third of its speed.
package hugepage

// size is a large page of the processors in use.
const size = 2 << 20

// least is the smallest slice, in bytes, worth asking for.
const least = 1 << 20

// Float32s returns n zeros from the garbage-collected heap. Where the system
// has no large pages to give it is make.
func Float32s(n int) []float32 {
	s := make([]float32, n)
	if 4*n >= least {
		advise(s)
	}
	return s
}
