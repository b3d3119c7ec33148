package pare

import (
	"fmt"
	"strings"

	"pare/compress"
	"pare/internal/cpu"
	"pare/tensor"
)

// narrowTop is the largest weight of 7 bits, and hintShare the share of the time from
// which a hint at them is worth reading.
const (
	narrowTop = 63
	hintShare = 0.1
)

// narrowHint says what weights of 7 bits would do on a machine that multiplies bytes
// by pairs in 16 bits; "" where they would do nothing.
func (m *Model) narrowHint(steps []StepTime) string {
	if !cpu.Has(cpu.AVX2) || cpu.Has(cpu.AVX512|cpu.VNNI) {
		return ""
	}
	full := map[string]bool{}
	for _, l := range compress.Layers(m.ir) {
		if (l.Kind == compress.Conv || l.Kind == compress.GroupedConv || l.Kind == compress.Dense) && l.Encoded != nil {
			full[l.Name] = isFull(l.Encoded.Codes)
		}
	}
	n, ms, total := 0, 0.0, 0.0
	for _, s := range steps {
		if total += s.MS; full[s.Name] && strings.HasPrefix(s.Kernel, "int8 ") {
			n, ms = n+1, ms+s.MS
		}
	}
	if ms < hintShare*total {
		return ""
	}
	return fmt.Sprintf("%d layers, %.0f %% of the time, multiply 8-bit weights of full range, and this processor has no VNNI: "+
		"weights of 7 bits run up to half as fast again there (compress --for avx2)", n, 100*ms/total)
}

// isFull: codes of 8 bits that use more than 7 of them.
func isFull(codes *tensor.Tensor) bool {
	if codes.Type != tensor.Int8 {
		return false
	}
	for _, v := range tensor.Data[int8](codes) {
		if v > narrowTop || v < -narrowTop {
			return true
		}
	}
	return false
}
