package tensor

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// least is the fewest bytes whose memory is worth a call of the system.
const least = 64 << 10

// handBack tells the system that the whole pages of raw, in a mapped file, will
// not be read soon. It is advice: a refusal costs memory, nothing else.
func handBack(raw []byte) {
	page := os.Getpagesize()
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(raw)))) & (page - 1)
	if n := (len(raw) - skip) &^ (page - 1); len(raw) >= least && n > 0 {
		_ = unix.Madvise(raw[skip:skip+n], unix.MADV_DONTNEED)
	}
}
