package onnx

import (
	"io"
	"testing"

	"pare/internal/assets"
)

// The weights are neither read by Open nor copied by Encode: what is allocated
// does not depend on them.

func BenchmarkOpen(b *testing.B) {
	path := assets.Path(b, "language/minilm-l6.onnx")
	b.ReportAllocs()
	for b.Loop() {
		f, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(f.Bytes)
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	f, err := Open(assets.Path(b, "language/minilm-l6.onnx"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	b.SetBytes(f.Bytes)
	b.ReportAllocs()
	for b.Loop() {
		if err := Encode(io.Discard, f.Model); err != nil {
			b.Fatal(err)
		}
	}
}
