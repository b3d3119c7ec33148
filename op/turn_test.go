package op

import "testing"

// TestTurn: every element is where its row and column say, whatever the sizes.
func TestTurn(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {7, 33}, {8, 16}, {25, 3}, {0, 4}} {
		rows, cols := size[0], size[1]
		src, dst := make([]int, rows*cols), make([]int, rows*cols)
		for i := range src {
			src[i] = i + 1
		}
		turn(dst, src, rows, cols)
		for i, v := range src {
			if got := dst[i%cols*rows+i/cols]; got != v {
				t.Fatalf("%d x %d: element %d is %d, want %d", rows, cols, i, got, v)
			}
		}
	}
}
