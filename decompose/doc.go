// Package decompose writes layers as products of smaller ones: low-rank factors,
// and convolutions of distinct kernels followed by sums.
package decompose
