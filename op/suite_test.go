package op_test

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"pare/internal/assets"
	"pare/ir"
	"pare/onnx"
	"pare/op"
)

// conformanceCase is a model of the official suite with its data sets.
type conformanceCase struct {
	name  string
	files map[string]*zip.File
}

// suite opens the official suite.
func suite(t *testing.T) []*conformanceCase {
	z, err := zip.OpenReader(assets.Path(t, "conformance/onnx-1.22.0.zip"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { z.Close() })
	byName := map[string]*conformanceCase{}
	for _, f := range z.File {
		if dir, ok := strings.CutSuffix(f.Name, "/model.onnx"); ok {
			byName[dir] = &conformanceCase{path.Base(dir), map[string]*zip.File{}}
		}
	}
	for _, f := range z.File {
		for dir := path.Dir(f.Name); dir != "."; dir = path.Dir(dir) {
			if c := byName[dir]; c != nil {
				c.files[strings.TrimPrefix(f.Name, dir+"/")] = f
			}
		}
	}
	var out []*conformanceCase
	for _, c := range byName {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b *conformanceCase) int { return strings.Compare(a.name, b.name) })
	return out
}

func (c *conformanceCase) read(name string) ([]byte, error) {
	f := c.files[name]
	if f == nil {
		return nil, os.ErrNotExist
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func (c *conformanceCase) model() (*ir.Model, error) {
	data, err := c.read("model.onnx")
	if err != nil {
		return nil, err
	}
	return onnx.Decode(data, "")
}

// values reads the inputs or outputs of data set k.
func (c *conformanceCase) values(k int, kind string, like []*ir.Value) ([]op.Val, error) {
	var out []op.Val
	for i, v := range like {
		data, err := c.read(fmt.Sprintf("test_data_set_%d/%s_%d.pb", k, kind, i))
		if errors.Is(err, os.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, err
		}
		x, err := onnx.DecodeValue(data, v.Type)
		if err != nil {
			return nil, fmt.Errorf("%s %d: %w", kind, i, err)
		}
		out = append(out, x)
	}
	if n := c.count(k, kind); n != len(out) {
		return nil, fmt.Errorf("%d %ss are stored, the model has %d", n, kind, len(out))
	}
	return out, nil
}

// count is the number of inputs or outputs that data set k stores.
func (c *conformanceCase) count(k int, kind string) (n int) {
	for name := range c.files {
		if strings.HasPrefix(name, fmt.Sprintf("test_data_set_%d/%s_", k, kind)) {
			n++
		}
	}
	return n
}

// run evaluates m on every data set and compares.
func (c *conformanceCase) run(m *ir.Model, like *ir.Model) ([][]op.Val, error) {
	var all [][]op.Val
	for k := 0; ; k++ {
		if c.files[fmt.Sprintf("test_data_set_%d/output_0.pb", k)] == nil {
			if k == 0 {
				return nil, errors.New("the case has no data")
			}
			return all, nil
		}
		in, err := c.values(k, "input", like.Graph.Inputs)
		if err != nil {
			return nil, err
		}
		want, err := c.values(k, "output", like.Graph.Outputs)
		if err != nil {
			return nil, err
		}
		got, err := op.RunList(context.Background(), m, in)
		if err != nil {
			return nil, err
		}
		for i := range want {
			if err := c.same(want[i], got[i]); err != nil {
				return nil, fmt.Errorf("data set %d, output %d: %w", k, i, err)
			}
		}
		all = append(all, got)
	}
}
