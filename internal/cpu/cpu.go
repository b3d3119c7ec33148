package cpu

import (
	"fmt"
	"os"
	"sync/atomic"

	xcpu "golang.org/x/sys/cpu"
)

// Features is a set of instruction set extensions that kernels ask for.
type Features uint32

const (
	// AVX2 stands for AVX2 together with FMA.
	AVX2 Features = 1 << iota
	// AVX512 stands for the F, BW, DQ and VL parts of AVX-512.
	AVX512
	// VNNI stands for AVX512-VNNI.
	VNNI
	// VBMI stands for AVX512-VBMI.
	VBMI
)

// levels are the values of PARE_CPU, weakest first, with what each allows.
var levels = []struct {
	name string
	has  Features
}{
	{"generic", 0},
	{"avx2", AVX2},
	{"avx512", AVX2 | AVX512 | VNNI | VBMI},
}

var (
	state   atomic.Uint32
	envFail error
)

func init() {
	have := machine()
	if v := os.Getenv("PARE_CPU"); v != "" {
		limit, err := allowed(v)
		if err != nil {
			envFail = fmt.Errorf("PARE_CPU: %w", err)
		} else {
			have &= limit
		}
	}
	state.Store(uint32(have))
}

func machine() Features {
	var f Features
	if xcpu.X86.HasAVX2 && xcpu.X86.HasFMA {
		f |= AVX2
	}
	if f != 0 && xcpu.X86.HasAVX512F && xcpu.X86.HasAVX512BW && xcpu.X86.HasAVX512DQ && xcpu.X86.HasAVX512VL {
		f |= AVX512
		if xcpu.X86.HasAVX512VNNI {
			f |= VNNI
		}
		if xcpu.X86.HasAVX512VBMI {
			f |= VBMI
		}
	}
	return f
}

func allowed(level string) (Features, error) {
	for _, l := range levels {
		if l.name == level {
			return l.has, nil
		}
	}
	return 0, fmt.Errorf("unknown level %q; use generic, avx2 or avx512", level)
}

// Have returns the features of this machine, capped by PARE_CPU.
func Have() Features { return Features(state.Load()) }

// Has reports whether every feature of f may be used.
func Has(f Features) bool { return Have()&f == f }

// Level names the strongest level whose kernels may run: generic, avx2 or
// avx512.
func Level() string {
	name := ""
	for _, l := range levels {
		if Has(l.has &^ (VNNI | VBMI)) {
			name = l.name
		}
	}
	return name
}

// Err reports a value of PARE_CPU that names no level. Such a value is
// otherwise ignored.
func Err() error { return envFail }

// Cap lowers the features to those of a level for a test and returns a
// function that restores them. It never adds features, and reports whether
// the machine has the level in full (VNNI and VBMI aside). It must not run beside
// goroutines that choose kernels.
func Cap(level string) (restore func(), full bool) {
	old := state.Load()
	limit, err := allowed(level)
	if err != nil {
		panic(err)
	}
	state.Store(old & uint32(limit))
	return func() { state.Store(old) }, Has(limit &^ (VNNI | VBMI))
}

// String lists the features by name.
func (f Features) String() string {
	s := ""
	for i, n := range []string{"avx2+fma", "avx512", "vnni", "vbmi"} {
		if f&(1<<i) != 0 {
			if s != "" {
				s += ","
			}
			s += n
		}
	}
	if s == "" {
		return "none"
	}
	return s
}
