package hugepage

import (
	"syscall"
	"unsafe"
)

// madvHugepage is MADV_HUGEPAGE.
const madvHugepage = 14

// advise names the whole pages that s lies in. Those at its ends may hold other
// objects of the heap, to which it makes no difference. It is advice: a refusal
// changes nothing.
func advise(s []float32) {
	p := uintptr(unsafe.Pointer(unsafe.SliceData(s)))
	from := p &^ (size - 1)
	to := (p + uintptr(4*len(s)) + size - 1) &^ (size - 1)
	syscall.RawSyscall(syscall.SYS_MADVISE, from, to-from, madvHugepage)
}
