package onnx

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pare/ir"
	"pare/tensor"
)

// weighted is a model with constants of the given numbers of bytes.
func weighted(sizes ...int) *ir.Model {
	r := rand.New(rand.NewPCG(1, 2))
	x := &ir.Value{Name: "x", Type: ir.UnrankedType(tensor.Uint8)}
	g := &ir.Graph{Name: "g", Inputs: []*ir.Value{x}}
	for i, n := range sizes {
		data := make([]byte, n)
		for k := range data {
			data[k] = byte(r.Uint32())
		}
		g.Consts = append(g.Consts, ir.NewConst(string(rune('a'+i)), tensor.Of([]int{n}, data)))
	}
	y := &ir.Value{Name: "y"}
	g.Nodes = []*ir.Node{{Op: "Identity", In: []*ir.Value{x}, Out: []*ir.Value{y}}}
	g.Outputs = []*ir.Value{y}
	g.Bind()
	return &ir.Model{Graph: g, IRVersion: 8, Opsets: []ir.Opset{{Version: 13}}}
}

func sameConsts(t *testing.T, want, got *ir.Model) {
	t.Helper()
	if len(want.Graph.Consts) != len(got.Graph.Consts) {
		t.Fatalf("%d constants, want %d", len(got.Graph.Consts), len(want.Graph.Consts))
	}
	for i, v := range want.Graph.Consts {
		w := got.Graph.Consts[i]
		if v.Name != w.Name || !tensor.Equal(v.Const, w.Const) {
			t.Errorf("constant %d differs: %s %v, want %s %v", i, w.Name, w.Const, v.Name, v.Const)
		}
	}
}

func reopen(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestSaveExternal(t *testing.T) {
	m := weighted(10, 2000, 1<<20+3, 1000, 5000)
	path := filepath.Join(t.TempDir(), "net.onnx")
	if err := Save(path, m, SaveOptions{External: 1000}); err != nil {
		t.Fatal(err)
	}
	f := reopen(t, path)
	sameConsts(t, m, f.Model)
	info, err := os.Stat(filepath.Join(filepath.Dir(path), "net.data"))
	if err != nil {
		t.Fatal(err)
	}
	own, _ := os.Stat(path)
	if own.Size() > 2000 || f.Bytes != own.Size()+info.Size() {
		t.Errorf("the model has %d bytes, the data %d, together %d", own.Size(), info.Size(), f.Bytes)
	}
	// Read and written without: all in one file again.
	back := filepath.Join(t.TempDir(), "one.onnx")
	if err := Save(back, f.Model, SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	sameConsts(t, m, reopen(t, back).Model)
	if _, err := os.Stat(filepath.Join(filepath.Dir(back), "one.data")); !os.IsNotExist(err) {
		t.Errorf("a data file nobody asked for: %v", err)
	}
}

func TestSaveTooLong(t *testing.T) {
	m := weighted(10, 2000, 3000)
	path := filepath.Join(t.TempDir(), "net.onnx")
	if err := save(path, m, SaveOptions{}, 1000); err != nil {
		t.Fatal(err)
	}
	sameConsts(t, m, reopen(t, path).Model)
	if err := save(path, m, SaveOptions{External: 2500}, 1000); err != nil {
		t.Fatal(err)
	}
	sameConsts(t, m, reopen(t, path).Model)
	inAttr := weighted(10)
	big := tensor.New(tensor.Uint8, 5000)
	inAttr.Graph.Nodes[0].Attrs = []ir.Attr{{Name: "value", Value: big}}
	if err := save(path, inAttr, SaveOptions{}, 1000); err != nil {
		t.Fatal(err)
	}
	if got := reopen(t, path).Model.Graph.Nodes[0].Tensor("value"); !tensor.Equal(got, big) {
		t.Errorf("attribute %v, want %v", got, big)
	}
	if err := save(path, weighted(900, 900), SaveOptions{}, 1000); !errors.Is(err, errTooLong) {
		t.Errorf("got %v, want %v", err, errTooLong)
	}
}

// TestEncodeBeyond2GB writes constants of zeros that share their bytes, so that
// it costs no memory, and only counts the bytes.
func TestEncodeBeyond2GB(t *testing.T) {
	m := weighted()
	zeros := make([]byte, 1<<28)
	for i := range 9 {
		m.Graph.Consts = append(m.Graph.Consts, ir.NewConst(string(rune('a'+i)), tensor.Of([]int{1 << 28}, zeros)))
	}
	if err := Encode(&bytes.Buffer{}, m); !errors.Is(err, errTooLong) {
		t.Errorf("got %v, want %v", err, errTooLong)
	}
	data := dataFile("net.onnx", leastExternal)
	out, err := encode(m, data, maxFile)
	if err != nil {
		t.Fatal(err)
	}
	if out.size > 10000 || data.size != 9<<28 {
		t.Errorf("%d bytes of model, %d of data", out.size, data.size)
	}
}

func TestSaveIsDeterministic(t *testing.T) {
	m, err := Decode(marshal(t, textProto(t, "ModelProto", everything)), "")
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for range 3 {
		var out bytes.Buffer
		if err := Encode(&out, ir.CloneModel(m)); err != nil {
			t.Fatal(err)
		}
		all = append(all, out.Bytes())
	}
	if !bytes.Equal(all[0], all[1]) || !bytes.Equal(all[0], all[2]) {
		t.Error("the same model gives different bytes")
	}
}

func TestSaveOverItself(t *testing.T) {
	m := weighted(5000, 6000)
	path := filepath.Join(t.TempDir(), "net.onnx")
	if err := Save(path, m, SaveOptions{External: 5500}); err != nil {
		t.Fatal(err)
	}
	f := reopen(t, path)
	if err := Save(path, f.Model, SaveOptions{External: 1}); err != nil {
		t.Fatal(err)
	}
	sameConsts(t, m, f.Model)
	sameConsts(t, m, reopen(t, path).Model)
}

func TestSaveFailsWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "net.onnx")
	good := weighted(3000)
	if err := Save(path, good, SaveOptions{External: 1}); err != nil {
		t.Fatal(err)
	}
	bad := weighted(4000)
	bad.Graph.Nodes[0].Attrs = []ir.Attr{{Name: "a", Value: struct{}{}}}
	if err := Save(path, bad, SaveOptions{External: 1}); err == nil || !strings.Contains(err.Error(), `attribute "a"`) {
		t.Errorf("got %v", err)
	}
	// The data file cannot be replaced: the model must not be, either.
	if err := os.Remove(filepath.Join(dir, "net.data")); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "net.data", "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)
	if err := Save(path, weighted(9000), SaveOptions{External: 1}); err == nil {
		t.Error("a folder was replaced by data")
	}
	after, _ := os.ReadFile(path)
	if !bytes.Equal(before, after) {
		t.Error("the model was replaced although its data could not be written")
	}
	entries, _ := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"net.data", "net.onnx"}; !slices.Equal(names, want) {
		t.Errorf("left behind: %v, want %v", names, want)
	}
}

func TestSaveInline(t *testing.T) {
	m, err := Decode(marshal(t, textProto(t, "ModelProto", everything)), "")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "net.onnx")
	if err := Save(path, m, SaveOptions{Inline: true}); err != nil {
		t.Fatal(err)
	}
	if len(m.Functions) != 2 {
		t.Error("the model was changed")
	}
	got := reopen(t, path).Model
	if len(got.Functions) != 0 || got.Graph.Value("y").Producer().Op != "Mul" {
		t.Errorf("%d functions left, y comes from %v", len(got.Functions), got.Graph.Value("y").Producer())
	}
}

// TestTensorsBorrowTheMap holds that reading copies no weights.
func TestTensorsBorrowTheMap(t *testing.T) {
	path := filepath.Join(t.TempDir(), "net.onnx")
	if err := Save(path, weighted(5, 6000), SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	f := reopen(t, path)
	for _, v := range f.Model.Graph.Consts {
		at := bytes.Index(f.data, v.Const.Bytes())
		if at < 0 || &f.data[at] != &v.Const.Bytes()[0] {
			t.Errorf("%q is a copy", v.Name)
		}
	}
}

func TestSHA256(t *testing.T) {
	path := filepath.Join(t.TempDir(), "net.onnx")
	if err := os.WriteFile(path, inGraph(t, `name: "g"`), 0o644); err != nil {
		t.Fatal(err)
	}
	a, err := reopen(t, path).SHA256()
	if err != nil || len(a) != 64 {
		t.Errorf("%q, %v", a, err)
	}
}
