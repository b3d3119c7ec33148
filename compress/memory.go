package compress

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// PeakMemory is the most memory that the process has had resident, in bytes:
// the kernel's figure on Linux, elsewhere what the Go runtime has taken from
// the system.
func PeakMemory() int64 {
	if f, err := os.Open("/proc/self/status"); err == nil {
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			var kib int64
			if rest, ok := strings.CutPrefix(s.Text(), "VmHWM:"); ok {
				if _, err := fmt.Sscan(rest, &kib); err == nil {
					return kib << 10
				}
			}
		}
	}
	var ms runtime.MemStats
	runtime.ReadMemStats(&ms)
	return int64(ms.Sys)
}
