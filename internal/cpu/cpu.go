package cpu

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
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
	// NEON stands for the vector instructions that every arm64 has.
	NEON
	// DotProd stands for dot products of bytes on arm64, FEAT_DotProd.
	DotProd
)

// level is a value of PARE_CPU with what it allows.
type level struct {
	name string
	has  Features
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

func allowed(level string) (Features, error) {
	for _, l := range levels {
		if l.name == level {
			return l.has, nil
		}
	}
	return 0, fmt.Errorf("unknown level %q; use one of %s", level, strings.Join(Levels(), ", "))
}

// Levels are the values of PARE_CPU on this architecture, weakest first.
func Levels() []string {
	var names []string
	for _, l := range levels {
		names = append(names, l.name)
	}
	return names
}

// Have returns the features of this machine, capped by PARE_CPU.
func Have() Features { return Features(state.Load()) }

// Has reports whether every feature of f may be used.
func Has(f Features) bool { return Have()&f == f }

// Level names the strongest level whose kernels may run.
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
	for i, n := range []string{"avx2+fma", "avx512", "vnni", "vbmi", "neon", "dotprod"} {
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
