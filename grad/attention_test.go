package grad_test

import (
	"strings"
	"testing"
)

// TestAttention checks attention with heads packed and apart, shared, masked and
// capped.
func TestAttention(t *testing.T) {
	packed := "q f32[2,3,8], k f32[2,5,8], v f32[2,5,6]"
	apart := "q f32[2,4,3,2], k f32[2,2,5,2], v f32[2,2,5,3]"
	for name, k := range map[string][2]string{
		"packed":      {packed, "  y = Attention(q, k, v) {q_num_heads=2, kv_num_heads=2}"},
		"apart":       {apart, "  y = Attention(q, k, v) {scale=0.7}"},
		"causal":      {apart, "  y = Attention(q, k, v) {is_causal=1, softcap=1.5}"},
		"window":      {apart, "  y = Attention(q, k, v) {left_window_size=1, right_window_size=1}"},
		"float mask":  {apart, "  const m = f32[4,1,5]{random}\n  y = Attention(q, k, v, m)"},
		"full mask":   {apart, "  const m = f32[2,4,3,5]{random}\n  y = Attention(q, k, v, m)"},
		"bool mask":   {apart, "  const m = bool[3,5]{true, false, true, true, true, false, false, false, false, false, true, true, true, false, true}\n  y = Attention(q, k, v, m)"},
		"microsoft":   {packed, "  y = com.microsoft::MultiHeadAttention(q, k, v) {num_heads=2, unidirectional=1}"},
		"biased":      {packed, "  const m = f32[1,1,3,5]{random}\n  y = com.microsoft::MultiHeadAttention(q, k, v, _, _, m) {num_heads=2, scale=0.6}"},
		"itself":      {"q f32[2,5,6]", "  const w = f32[6,24]{random}\n  const b = f32[24]{random}\n  y = com.microsoft::Attention(q, w, b) {num_heads=2, unidirectional=1}"},
		"single head": {"q f32[1,1,3,2], k f32[1,1,5,2], v f32[1,1,5,3]", "  y = Attention(q, k, v) {scale=1.0}"},
	} {
		opset := 24
		if strings.Contains(k[1], "window") {
			opset = 25
		}
		t.Run(name, func(t *testing.T) { checkGradients(t, oneNode(opset, k[0], k[1]), nil) })
	}
}

// TestComposites checks operators of ONNX Runtime's that are written as others.
func TestComposites(t *testing.T) {
	for name, body := range map[string]string{
		"BiasGelu":      "  const b = f32[4]{random}\n  y = com.microsoft::BiasGelu(x, b)",
		"FastGelu":      "  const b = f32[4]{random}\n  y = com.microsoft::FastGelu(x, b)",
		"FastGelu only": "  y = com.microsoft::FastGelu(x)",
		"FusedConv":     "  const w = f32[2,3,2]{random}\n  const b = f32[2]{random}\n  const z = f32[2,2,3]{random}\n  y = com.microsoft::FusedConv(x, w, b, z) {activation=\"Tanh\"}",
		"FusedGemm":     "  const s = i64[2]{6, 4}\n  const w = f32[5,4]{random}\n  const c = f32[5]{random}\n  z = Reshape(x, s)\n  y = com.microsoft::FusedGemm(z, w, c) {transB=1, alpha=0.5, activation=\"Sigmoid\"}",
		"FusedMatMul":   "  const w = f32[2,5,3]{random}\n  y = com.microsoft::FusedMatMul(x, w) {transA=1, transB=1, alpha=0.5}",
		"skip":          "  const s = f32[2,3,4]{random}\n  const g = f32[4]{random}\n  const b = f32[4]{random}\n  const c = f32[4]{random}\n  y = com.microsoft::SkipLayerNormalization(x, s, g, b, c) {epsilon=0.1}",
		"skip and sum":  "  const s = f32[2,3,4]{random}\n  const g = f32[4]{random}\n  z, _, _, u = com.microsoft::SkipLayerNormalization(x, s, g) {epsilon=0.1}\n  y = Add(z, u)",
		"skip RMS":      "  const s = f32[2,3,4]{random}\n  const g = f32[4]{random}\n  y = com.microsoft::SkipSimplifiedLayerNormalization(x, s, g) {epsilon=0.1}",
	} {
		t.Run(name, func(t *testing.T) { checkGradients(t, oneNode(18, "x f32[2,3,4]", body), nil) })
	}
}
