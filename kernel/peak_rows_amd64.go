//go:build !noasm

package kernel

import "pare/internal/cpu"

var archPeaks = []peakRow{
	{"f32_24x16_avx512", cpu.AVX512, 24 * 16 * 2, peakAVX512},
	{"f32_12x8_avx2", cpu.AVX2, 12 * 8 * 2, peakAVX2},
}

var archIntPeaks = []peakRow{
	{"u8s8_24x64_vnni", cpu.AVX512 | cpu.VNNI, 24 * 64 * 2, intPeakAVX512},
	{"s16_12x16_avx2", cpu.AVX2, 12 * 16 * 2, intPeakAVX2},
}
