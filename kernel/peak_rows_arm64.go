//go:build !noasm

package kernel

import "pare/internal/cpu"

var archPeaks = []peakRow{{"f32_24x4_neon", cpu.NEON, 24 * 4 * 2, peakNEON}}

var archIntPeaks = []peakRow{{"s8_24x16_dot", cpu.NEON | cpu.DotProd, 24 * 16 * 2, intPeakDotNEON}}
