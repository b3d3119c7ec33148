package kernel

import (
	"bytes"
	"testing"

	"pare/internal/guard"
)

// TestMapCodes looks up all codes in random tables, in place, too.
func TestMapCodes(t *testing.T) {
	eachImpl(t, "mapcodes", mapCodesLoops, func(t *testing.T, run mapCodesLoop) {
		r := seeded(8)
		for _, n := range append(lengths(), 256, 512, 1000) {
			var values [256]uint8
			for i := range values {
				values[i] = uint8(r.IntN(256))
			}
			src, dst, want := tailBytes(t, r, n), guard.Tail[uint8](t, n), make([]uint8, n)
			for i := range src {
				if n >= 256 {
					src[i] = uint8(i)
				}
				want[i] = values[src[i]]
			}
			m := NewCodeMap(values)
			if run(dst, src, m); !bytes.Equal(dst, want) {
				t.Fatalf("%d elements: %d, want %d", n, dst, want)
			}
			if run(src, src, m); !bytes.Equal(src, want) {
				t.Fatalf("%d elements in place: %d, want %d", n, src, want)
			}
		}
	})
}
