package pare

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pare/dataset"
	"pare/eval"
	"pare/internal/fault"
	"pare/internal/npy"
	"pare/ir"
	"pare/onnx"
	"pare/tensor"
)

// ReadInputs reads tensors for the model from files: "NAME=FILE", or "FILE" for
// the only input or an .npz file with arrays by input name. Files are .npy,
// .npz, .pb (an ONNX TensorProto) or pictures, which are prepared by options
// ("" for those of Preparation). Inputs that the files lack are filled in where
// their meaning is certain; notes say which.
func (m *Model) ReadInputs(args []string, options string) (in map[string]*tensor.Tensor, notes []string, err error) {
	if options == "" {
		p, err := m.Preparation()
		if err != nil {
			return nil, nil, err
		}
		options = p.Options
	}
	got := map[string]*tensor.Tensor{}
	for _, arg := range args {
		name, file, named := strings.Cut(arg, "=")
		if !named {
			name, file = "", arg
		}
		arrays, err := readTensors(file, options)
		if err != nil {
			return nil, nil, err
		}
		for _, a := range arrays {
			if named && len(arrays) == 1 || a.Name == "" {
				a.Name = name
			}
			if got[a.Name] != nil {
				return nil, nil, fmt.Errorf("input %q is given twice", a.Name)
			}
			got[a.Name] = a.Tensor
		}
	}
	for name := range got {
		if name != "" && !slices.ContainsFunc(m.ir.Graph.Inputs, func(v *ir.Value) bool { return v.Name == name }) {
			return nil, nil, fault.Hint(fmt.Errorf("the network has no input %q", name), "its inputs are %s", inputNames(m.ir))
		}
	}
	return complete(m.ir, got)
}

func inputNames(m *ir.Model) string {
	var out []string
	for _, v := range m.Graph.Inputs {
		if v.Const == nil {
			out = append(out, fmt.Sprintf("%s %v", v.Name, v.Type))
		}
	}
	return strings.Join(out, ", ")
}

// complete fills in what follows from the given inputs.
func complete(m *ir.Model, got map[string]*tensor.Tensor) (map[string]*tensor.Tensor, []string, error) {
	n := 1
	for _, v := range m.Graph.Inputs {
		if t := cmp.Or(got[v.Name], got[""]); t != nil && t.Rank() > 0 {
			n = t.Shape[0]
			break
		}
	}
	return eval.Bind(m.Graph.Inputs, dataset.Batch{Inputs: got}, n)
}

// readTensors reads the tensors of a file; one without a name of its own is
// called "".
func readTensors(file, options string) ([]npy.Array, error) {
	var t *tensor.Tensor
	var err error
	switch strings.ToLower(filepath.Ext(file)) {
	case ".npz":
		return npy.ReadZip(file)
	case ".npy":
		t, err = npy.ReadFile(file)
	case ".pb":
		var raw []byte
		if raw, err = os.ReadFile(file); err == nil {
			t, err = onnx.DecodeTensor(raw)
			err = fault.AtFile(file, err)
		}
	default:
		if t, err = dataset.Image(file, options); errors.Is(err, image.ErrFormat) {
			err = fault.Hint(err, "inputs are .npy, .npz, .pb or picture files")
		}
	}
	return []npy.Array{{Tensor: t}}, err
}

// Random says what to make random inputs of.
type Random struct {
	Seed   uint64
	Batch  int              // samples, where the first dimension is free; 0 for 1
	Shapes map[string][]int // by input, where the model's own do not do
}

// Sizes of free dimensions that nothing else decides.
const (
	freeSide   = 224 // height and width of pictures
	freeLength = 64  // of sequences
)

// RandomInputs makes inputs: normal numbers, and integers below the number of
// rows of the table they index. Notes say what was assumed.
func (m *Model) RandomInputs(r Random) (in map[string]*tensor.Tensor, notes []string, err error) {
	rng := rand.New(rand.NewPCG(r.Seed, 1))
	got := map[string]*tensor.Tensor{}
	for name := range r.Shapes {
		if !slices.ContainsFunc(m.ir.Graph.Inputs, func(v *ir.Value) bool { return v.Name == name }) {
			return nil, nil, fault.Hint(fmt.Errorf("the network has no input %q", name), "its inputs are %s", inputNames(m.ir))
		}
	}
	tokens := slices.ContainsFunc(m.ir.Graph.Inputs, func(v *ir.Value) bool { return strings.Contains(v.Name, "input_ids") })
	for _, v := range m.ir.Graph.Inputs {
		if v.Const != nil || derived(v, tokens) && r.Shapes[v.Name] == nil {
			continue
		}
		shape, note := inputShape(v, r)
		if note != "" {
			notes = append(notes, note)
		}
		if got[v.Name], err = randomTensor(rng, v, shape); err != nil {
			return nil, nil, err
		}
	}
	in, more, err := complete(m.ir, got)
	return in, append(notes, more...), err
}

// derived reports inputs whose contents follow from others: caches, and what
// goes with token numbers.
func derived(v *ir.Value, tokens bool) bool {
	if v.Type.DType.IsFloat() {
		return strings.Contains(v.Name, "past")
	}
	return tokens && !strings.Contains(v.Name, "input_ids")
}

func inputShape(v *ir.Value, r Random) (shape []int, note string) {
	if s := r.Shapes[v.Name]; s != nil {
		return s, ""
	}
	free := freeLength
	if v.Type.DType.IsFloat() && len(v.Type.Shape) == 4 {
		free = freeSide
	}
	for i, d := range v.Type.Shape {
		switch {
		case d.IsKnown() && !(i == 0 && d.N == 0):
			shape = append(shape, d.N)
		case i == 0:
			shape = append(shape, max(1, r.Batch))
		default:
			shape = append(shape, free)
			note = fmt.Sprintf("input %s: took %d for the free dimension %v", v.Name, free, d)
		}
	}
	return shape, note
}

func randomTensor(rng *rand.Rand, v *ir.Value, shape []int) (*tensor.Tensor, error) {
	n, err := tensor.CheckedLen(shape)
	if err != nil {
		return nil, fmt.Errorf("input %q: %w", v.Name, err)
	}
	values := make([]float64, n)
	rows := tableRows(v)
	for i := range values {
		if v.Type.DType.IsFloat() || v.Type.DType == tensor.Undefined {
			values[i] = rng.NormFloat64()
		} else {
			values[i] = float64(rng.IntN(rows))
		}
	}
	t := v.Type.DType
	if t == tensor.Undefined {
		t = tensor.Float32
	}
	if t == tensor.String {
		return nil, fmt.Errorf("input %q holds strings, which cannot be made up", v.Name)
	}
	return tensor.FromFloat64s(t, shape, values)
}

// tableRows is the number of rows of the constant table that v indexes, 2 when
// there is none.
func tableRows(v *ir.Value) int {
	for _, u := range v.Uses() {
		if u.Node.Op == "Gather" && u.In == 1 && u.Node.In[0] != nil {
			if s := u.Node.In[0].Type.Shape; u.Node.In[0].Type.Ranked && len(s) > 0 && s[0].IsKnown() {
				return max(1, s[0].N)
			}
		}
	}
	return 2
}
