//go:build !noasm

package kernel

import "pare/internal/cpu"

var archPeaks = []peakRow{
	{"f32_24x16_avx512", cpu.AVX512, 24 * 16 * 2, peakAVX512},
	{"f32_12x8_avx2", cpu.AVX2, 12 * 8 * 2, peakAVX2},
}
