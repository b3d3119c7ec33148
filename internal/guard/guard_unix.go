//go:build unix

package guard

import (
	"os"
	"syscall"
	"testing"
	"unsafe"
)

// Tail returns a zeroed slice of n elements that ends at an unmapped page. It
// is unmapped when the test ends.
func Tail[T any](t testing.TB, n int) []T {
	t.Helper()
	size, page := bytes[T](n), os.Getpagesize()
	m := mapped(t, size, func(m []byte) []byte { return m[len(m)-page:] })
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&m[len(m)-page-size])), n)
}

// Head returns a zeroed slice of n elements that starts right after an
// unmapped page. It is unmapped when the test ends.
func Head[T any](t testing.TB, n int) []T {
	t.Helper()
	page := os.Getpagesize()
	m := mapped(t, bytes[T](n), func(m []byte) []byte { return m[:page] })
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&m[page])), n)
}

func bytes[T any](n int) int {
	var z T
	return n * int(unsafe.Sizeof(z))
}

// mapped maps size bytes in whole pages and one page more, which fence picks.
func mapped(t testing.TB, size int, fence func([]byte) []byte) []byte {
	t.Helper()
	page := os.Getpagesize()
	whole := (size+page-1)/page*page + page
	m, err := syscall.Mmap(-1, 0, whole, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(m) })
	if err := syscall.Mprotect(fence(m), syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	return m
}
