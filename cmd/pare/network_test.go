package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pare"
	"pare/internal/npy"
	"pare/ir"
	"pare/onnx"
	"pare/tensor"
)

// networkText is a classifier of 3x32x32 pictures with a batch-norm, a depthwise
// layer and a residual; %s stands for constants.
const networkText = `
opset 17
graph tiny(x f32[N,3,32,32]) -> (y) {
%s
  c1 = Conv(x, w1, _) {strides=[4, 4]} @conv1
  n1 = BatchNormalization(c1, g1, b1, m1, v1) @bn1
  r1 = Relu(n1) @relu1
  d1 = Conv(r1, w2, _) {pads=[1, 1, 1, 1], group=8} @dw
  p1 = Conv(d1, w3, _) @pw
  s1 = Add(p1, r1) @add
  r2 = Relu(s1) @relu2
  p2 = GlobalAveragePool(r2) @pool
  f1 = Flatten(p2) @flatten
  y f32[N,10] = Gemm(f1, w4, _) {transB=1} @fc
}
`

// network builds the classifier; spoil is put into its last weight.
func network(t testing.TB, spoil float32) *ir.Model {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	var consts strings.Builder
	constant := func(name string, positive bool, dims ...int) {
		fmt.Fprintf(&consts, "  const %s = f32[%s]{", name, shapeList(dims))
		for i := range tensor.Len(dims) {
			x := 0.4 * r.NormFloat64()
			if positive {
				x = 0.5 + r.Float64()
			}
			if i > 0 {
				consts.WriteString(", ")
			}
			fmt.Fprint(&consts, float32(x))
		}
		consts.WriteString("}\n")
	}
	constant("w1", false, 8, 3, 4, 4)
	for _, name := range []string{"g1", "v1"} {
		constant(name, true, 8)
	}
	for _, name := range []string{"b1", "m1"} {
		constant(name, false, 8)
	}
	constant("w2", false, 8, 1, 3, 3)
	constant("w3", false, 8, 8, 1, 1)
	constant("w4", false, 10, 8)
	m, err := ir.Parse(strings.NewReader(fmt.Sprintf(networkText, consts.String())))
	if err != nil {
		t.Fatal(err)
	}
	m.IRVersion = 8
	if spoil != 0 {
		w := m.Graph.Value("w4").Const
		tensor.Data[float32](w)[w.Len()-1] = spoil
	}
	return m
}

func shapeList(dims []int) string {
	parts := make([]string, len(dims))
	for i, d := range dims {
		parts[i] = fmt.Sprint(d)
	}
	return strings.Join(parts, ",")
}

// fill puts the files that tests work on into a folder: networks, sound and
// broken, data, and one input in every form.
func fill(t testing.TB, dir string) {
	t.Helper()
	save := func(name string, m *ir.Model) []byte {
		path := filepath.Join(dir, name)
		if _, err := pare.New(m).Save(path, pare.SaveOptions{}); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	raw := save("net.onnx", network(t, 0))
	write("truncated.onnx", raw[:2*len(raw)/3])
	save("nan.onnx", network(t, float32(math.NaN())))
	write("text.onnx", []byte("These are no protocol buffers.\n"))
	write("data.bin", pictures(32))
	write("picture.png", picture(t))
	write("names.txt", []byte("zero\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n"))

	x := tensor.New(tensor.Float32, 1, 3, 32, 32)
	for i := range x.Len() {
		tensor.Data[float32](x)[i] = float32(i%7) / 7
	}
	var array, archive, bad bytes.Buffer
	if err := npy.Write(&array, x); err != nil {
		t.Fatal(err)
	}
	write("x.npy", array.Bytes())
	z := zip.NewWriter(&archive)
	w, err := z.Create("x.npy")
	if err != nil {
		t.Fatal(err)
	}
	if err := npy.Write(w, x); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	write("x.npz", archive.Bytes())
	write("x.pb", onnx.EncodeTensor("x", x))
	if err := npy.Write(&bad, tensor.New(tensor.Float32, 1, 4, 32, 32)); err != nil {
		t.Fatal(err)
	}
	write("four.npy", bad.Bytes())
}

// pictures are n records of the CIFAR-10 binary form.
func pictures(n int) []byte {
	r := rand.New(rand.NewPCG(5, 6))
	var out []byte
	for i := range n {
		out = append(out, byte(i%10))
		for range 3 * 32 * 32 {
			out = append(out, byte(r.IntN(256)))
		}
	}
	return out
}

func picture(t testing.TB) []byte {
	img := image.NewRGBA(image.Rect(0, 0, 48, 40))
	for y := range 40 {
		for x := range 48 {
			img.Set(x, y, color.RGBA{uint8(5 * x), uint8(6 * y), 100, 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
