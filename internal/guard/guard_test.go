//go:build unix

package guard

import (
	"runtime/debug"
	"testing"
	"unsafe"
)

// faults reports whether reading the byte at p is a memory fault.
func faults(p unsafe.Pointer) (hit bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { hit = recover() != nil }()
	sink = *(*byte)(p)
	return false
}

var sink byte

func TestFences(t *testing.T) {
	for _, n := range []int{1, 3, 1024, 5000} {
		a, b := Tail[int32](t, n), Head[int32](t, n)
		a[0], a[n-1], b[0], b[n-1] = 1, 2, 3, 4
		if !faults(unsafe.Add(unsafe.Pointer(&a[n-1]), 4)) {
			t.Errorf("n=%d: the element after Tail can be read", n)
		}
		if !faults(unsafe.Add(unsafe.Pointer(&b[0]), -1)) {
			t.Errorf("n=%d: the byte before Head can be read", n)
		}
	}
}
