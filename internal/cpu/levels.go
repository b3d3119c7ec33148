//go:build !arm64

package cpu

import xcpu "golang.org/x/sys/cpu"

// levels are the values of PARE_CPU, weakest first.
var levels = []level{
	{"generic", 0},
	{"avx2", AVX2},
	{"avx512", AVX2 | AVX512 | VNNI | VBMI},
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
