package hugepage_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"pare/internal/hugepage"
)

// TestAdvised reads from the system's own tables that the pages of a large slice
// may be large, where the kernel has such pages at all.
func TestAdvised(t *testing.T) {
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	s := hugepage.Float32s(4 << 20)
	at := uint64(uintptr(unsafe.Pointer(&s[len(s)/2])))
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	head := regexp.MustCompile(`^([0-9a-f]+)-([0-9a-f]+) `)
	inside := false
	for line := range strings.Lines(string(maps)) {
		if m := head.FindStringSubmatch(line); m != nil {
			from, _ := strconv.ParseUint(m[1], 16, 64)
			to, _ := strconv.ParseUint(m[2], 16, 64)
			inside = from <= at && at < to
		}
		if inside && strings.HasPrefix(line, "VmFlags:") {
			if !strings.Contains(line+" ", " hg") {
				t.Fatal(fmt.Sprint("not advised: ", line))
			}
			return
		}
	}
	t.Fatal("the slice lies in no mapping")
}
