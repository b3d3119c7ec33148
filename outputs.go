package pare

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pare/internal/atomicfile"
	"pare/internal/fault"
	"pare/internal/npy"
	"pare/tensor"
)

// Class is a class of a classifier with its score.
type Class struct {
	Index int    `json:"index"`
	Score Score  `json:"score"`
	Label string `json:"label,omitempty"`
}

// Score is a number that JSON holds as a number, or as "NaN", "Infinity" or
// "-Infinity".
type Score float32

// MarshalJSON implements json.Marshaler.
func (s Score) MarshalJSON() ([]byte, error) { return json.Marshal(number(float64(s), float32(s))) }

// TopClasses lists the k best classes of every row of scores, best first; of
// equal scores the smaller index comes first. Scores are [classes], [samples,
// classes] or [samples, classes, 1, 1]; other shapes give nil.
func TopClasses(scores *tensor.Tensor, k int, labels []string) [][]Class {
	shape := scores.Shape
	if len(shape) == 4 && shape[2] == 1 && shape[3] == 1 {
		shape = shape[:2]
	}
	if len(shape) < 1 || len(shape) > 2 || !scores.Type.IsFloat() || scores.Len() == 0 {
		return nil
	}
	x, classes := tensor.Float32s(scores), shape[len(shape)-1]
	var out [][]Class
	for row := range slices.Chunk(x, classes) {
		list := make([]Class, classes)
		for i, s := range row {
			list[i] = Class{Index: i, Score: Score(s)}
			if i < len(labels) {
				list[i].Label = labels[i]
			}
		}
		slices.SortStableFunc(list, func(a, b Class) int { return cmp.Compare(b.Score, a.Score) })
		out = append(out, list[:min(k, classes)])
	}
	return out
}

// ReadLabels reads class names, one a line, in the order of the classes.
func ReadLabels(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimRight(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n"), "\n"), nil
}

// WriteOutput writes a tensor as DIR/NAME.npy, makes the folder where it is
// missing and returns the path. Characters of the name that would leave the
// folder become "_". Element types that NumPy lacks are written as float32.
func WriteOutput(dir, name string, t *tensor.Tensor) (string, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	path := filepath.Join(dir, fileName(name)+".npy")
	if t.Type.IsFloat() && t.Type != tensor.Float64 && t.Type != tensor.Float16 {
		t = tensor.Of(t.Shape, tensor.Float32s(t))
	}
	err := atomicfile.Write(path, func(w io.Writer) error { return npy.Write(w, t) })
	if err != nil {
		return "", fault.AtFile(path, fmt.Errorf("output %q: %w", name, err))
	}
	return path, nil
}

func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:`, r) || r < ' ' {
			return '_'
		}
		return r
	}, name)
	if name = strings.TrimLeft(name, "."); name == "" {
		return "_"
	}
	return name
}

// Values lists the elements of a tensor in row-major order, for JSON: numbers,
// booleans or texts. What JSON cannot hold becomes "NaN", "Infinity" or
// "-Infinity", complex numbers a text.
func Values(t *tensor.Tensor) []any {
	out := make([]any, 0, t.Len())
	switch t.Type {
	case tensor.String:
		for _, s := range t.Strings() {
			out = append(out, s)
		}
	case tensor.Bool:
		for _, b := range tensor.Data[bool](t) {
			out = append(out, b)
		}
	case tensor.Int64:
		for _, i := range tensor.Data[int64](t) {
			out = append(out, i)
		}
	case tensor.Uint64:
		for _, i := range tensor.Data[uint64](t) {
			out = append(out, i)
		}
	case tensor.Complex64:
		for _, z := range tensor.Data[complex64](t) {
			out = append(out, fmt.Sprint(z))
		}
	case tensor.Complex128:
		for _, z := range tensor.Data[complex128](t) {
			out = append(out, fmt.Sprint(z))
		}
	case tensor.Float64:
		for _, x := range tensor.Data[float64](t) {
			out = append(out, number(x, x))
		}
	default:
		for _, x := range tensor.Float32s(t) {
			out = append(out, number(float64(x), x))
		}
	}
	return out
}

// number is x, or the name of what JSON cannot hold.
func number(wide float64, x any) any {
	switch {
	case math.IsNaN(wide):
		return "NaN"
	case math.IsInf(wide, 1):
		return "Infinity"
	case math.IsInf(wide, -1):
		return "-Infinity"
	}
	return x
}

// FirstValues prints the first n elements of a tensor.
func FirstValues(t *tensor.Tensor, n int) string {
	var parts []string
	for _, v := range Values(t)[:min(n, t.Len())] {
		if x, ok := v.(float32); ok {
			v = fmt.Sprintf("%.6g", x)
		}
		parts = append(parts, fmt.Sprint(v))
	}
	if t.Len() > n {
		parts = append(parts, "...")
	}
	return strings.Join(parts, " ")
}
