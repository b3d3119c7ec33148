package onnx

import "golang.org/x/sys/unix"

// Relax hands the memory of mapped pages back to the system. They are read from
// the file again when they are touched.
func (f *File) Relax() {
	for _, m := range f.maps() {
		// Advice that is not taken costs memory, nothing else.
		_ = unix.Madvise(m, unix.MADV_DONTNEED)
	}
}
