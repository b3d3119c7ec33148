//go:build !linux

package onnx

// Relax hands the memory of mapped pages back to the system where that can be
// asked for.
func (f *File) Relax() {}
