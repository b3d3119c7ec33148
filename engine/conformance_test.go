package engine_test

import (
	"archive/zip"
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"pare/engine"
	"pare/internal/assets"
	"pare/ir"
	"pare/onnx"
	"pare/op"
	"pare/tensor"
)

// TestConformance runs the official suite by the engine: what the references
// pass, rows must pass, too.
func TestConformance(t *testing.T) {
	excused := excused(t)
	cases := suite(t)
	if len(cases) < 1400 {
		t.Fatalf("only %d cases found", len(cases))
	}
	for dir, files := range cases {
		name := path.Base(dir)
		if excused[name] {
			continue
		}
		if err := conforms(name, files); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// excused are the cases that the references do not pass, with reasons beside
// them.
func excused(t *testing.T) map[string]bool {
	f, err := os.Open("../op/testdata/conformance.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]bool{}
	for s := bufio.NewScanner(f); s.Scan(); {
		out[strings.TrimSpace(s.Text())] = true
	}
	return out
}

// suite is the contents of the files of every case by their folder.
func suite(t *testing.T) map[string]map[string][]byte {
	z, err := zip.OpenReader(assets.Path(t, "conformance/onnx-1.22.0.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	out := map[string]map[string][]byte{}
	for _, f := range z.File {
		dir := path.Dir(f.Name)
		if strings.HasPrefix(path.Base(dir), "test_data_set_") {
			dir = path.Dir(dir)
		}
		if !strings.HasSuffix(f.Name, ".pb") && path.Base(f.Name) != "model.onnx" {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if out[dir] == nil {
			out[dir] = map[string][]byte{}
		}
		out[dir][strings.TrimPrefix(f.Name, dir+"/")] = data
	}
	return out
}

func conforms(name string, files map[string][]byte) error {
	m, err := onnx.Decode(files["model.onnx"], "")
	if err != nil {
		return err
	}
	p, err := engine.Compile(context.Background(), m, engine.Options{Threads: 2})
	if err != nil {
		return err
	}
	s := p.NewSession()
	for k := 0; files[fmt.Sprintf("test_data_set_%d/output_0.pb", k)] != nil; k++ {
		in, err := stored(files, k, "input", m.Graph.Inputs)
		if err != nil {
			return err
		}
		want, err := stored(files, k, "output", m.Graph.Outputs)
		if err != nil {
			return err
		}
		got, err := s.RunValues(context.Background(), in)
		if err != nil {
			return err
		}
		if len(want) == 0 {
			return fmt.Errorf("data set %d has no results", k)
		}
		for v, w := range want {
			if err := same(name, w, got[v]); err != nil {
				return fmt.Errorf("%s: %w", v, err)
			}
		}
	}
	return nil
}

// stored reads the inputs or outputs of a data set.
func stored(files map[string][]byte, k int, kind string, like []*ir.Value) (map[string]op.Val, error) {
	out := map[string]op.Val{}
	for i, v := range like {
		data := files[fmt.Sprintf("test_data_set_%d/%s_%d.pb", k, kind, i)]
		if data == nil {
			break
		}
		x, err := onnx.DecodeValue(data, v.Type)
		if err != nil {
			return nil, err
		}
		out[v.Name] = x
	}
	return out, nil
}

func same(name string, want, got op.Val) error {
	switch w := want.(type) {
	case *tensor.Tensor:
		g, _ := got.(*tensor.Tensor)
		return sameTensor(name, w, g)
	case *op.Sequence:
		g, ok := got.(*op.Sequence)
		if !ok || len(g.Elems) != len(w.Elems) {
			return fmt.Errorf("got %v, want %d elements", got, len(w.Elems))
		}
		for i := range w.Elems {
			if err := same(name, w.Elems[i], g.Elems[i]); err != nil {
				return fmt.Errorf("element %d: %w", i, err)
			}
		}
	case *op.Optional:
		g, ok := got.(*op.Optional)
		if !ok || (w.Elem == nil) != (g.Elem == nil) {
			return fmt.Errorf("got %v, want %v", got, want)
		}
		if w.Elem != nil {
			return same(name, w.Elem, g.Elem)
		}
	}
	return nil
}

// coarse are cases whose expected results were written down with four digits.
var coarse = []string{"test_gridsample_bicubic", "test_roialign_aligned_false", "test_roialign_aligned_true"}

func sameTensor(name string, want, got *tensor.Tensor) error {
	if got == nil || want.Type != got.Type || !slices.Equal(want.Shape, got.Shape) {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	if !want.Type.IsFloat() || want.Type.Bits() <= 8 {
		if !tensor.Equal(want, got) {
			return fmt.Errorf("%v differs", want)
		}
		return nil
	}
	rel, abs := 1e-5, 2e-6
	switch {
	case slices.Contains(coarse, name):
		rel = 1e-3
	case want.Type == tensor.Float16:
		rel = 0x1p-9
	case want.Type == tensor.BFloat16:
		rel = 0x1p-6
	}
	g, w := tensor.Float64s(got), tensor.Float64s(want)
	for i := range w {
		if w[i] != g[i] && !(math.IsNaN(w[i]) && math.IsNaN(g[i])) && !(math.Abs(w[i]-g[i]) <= abs+rel*math.Abs(w[i])) {
			return fmt.Errorf("%v: element %d is %v, want %v", want, i, g[i], w[i])
		}
	}
	return nil
}
