//go:build !noasm

package kernel

import "pare/internal/cpu"

var archDepthLines = []depthLine{
	{name: "u8s8_1x32_vnni", needs: cpu.AVX512 | cpu.VNNI, block: 32, terms: lineQuads, run: [2][2]func(*byte){
		{depthline3s1AVX512, depthline3s2AVX512}, {depthline5s1AVX512, depthline5s2AVX512}}},
	{name: "u8s16_1x16_avx2", needs: cpu.AVX2, block: 16, terms: lineWords, run: [2][2]func(*byte){
		{depthline3s1AVX2, depthline3s2AVX2}, {depthline5s1AVX2, depthline5s2AVX2}}},
}
