package dataset_test

import (
	"archive/zip"
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pare/dataset"
	"pare/internal/assets"
	"pare/internal/npy"
	"pare/tensor"
)

// record is one CIFAR-10 record whose planes hold the constants r, g and b.
func record(label, r, g, b byte) []byte {
	out := []byte{label}
	for _, v := range []byte{r, g, b} {
		out = append(out, bytes.Repeat([]byte{v}, 1024)...)
	}
	return out
}

func write(t *testing.T, path string, data []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func batch(t *testing.T, spec string, lo, hi int) dataset.Batch {
	t.Helper()
	set, err := dataset.Open(spec)
	if err != nil {
		t.Fatal(err)
	}
	b, err := set.Batch(context.Background(), lo, hi)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func near(a, b float32) bool { return math.Abs(float64(a-b)) < 1e-6 }

func TestCIFARFilesAreJoinedAndNormalised(t *testing.T) {
	dir := t.TempDir()
	a := write(t, dir+"/a.bin", record(3, 255, 0, 51))
	b := write(t, dir+"/b.bin", record(7, 0, 255, 102))
	got := batch(t, "cifar10:"+a+","+b+"?mean=0.5,0,0&std=0.5,1,2", 0, 2)
	if !slices.Equal(got.Labels, []int{3, 7}) {
		t.Errorf("labels %v", got.Labels)
	}
	x := tensor.Data[float32](got.Inputs[""])
	want := []float32{1, 0, 0.1, -1, 1, 0.2}
	for i, w := range want {
		if !near(x[i*1024], w) || !near(x[i*1024+1023], w) {
			t.Errorf("plane %d holds %v, want %v", i, x[i*1024], w)
		}
	}
}

func TestLayoutOrderCropAndOffset(t *testing.T) {
	f := write(t, t.TempDir()+"/a.bin", record(3, 255, 0, 51))
	got := batch(t, "cifar10:"+f+"?layout=nhwc&order=bgr&crop=8x4&offset=1&classes=11&input=x", 0, 1)
	x := got.Inputs["x"]
	if !slices.Equal(x.Shape, []int{1, 4, 8, 3}) || got.Labels[0] != 4 {
		t.Fatalf("shape %v, label %d", x.Shape, got.Labels[0])
	}
	if d := tensor.Data[float32](x); !near(d[0], 0.2) || d[1] != 0 || d[2] != 1 {
		t.Errorf("first pixel %v", d[:3])
	}
}

func pngOf(t *testing.T, w, h int, at func(x, y int) color.Color) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, at(x, y))
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestImagesByFolderAndByList(t *testing.T) {
	dir := t.TempDir()
	half := pngOf(t, 40, 20, func(x, _ int) color.Color {
		if x < 20 {
			return color.White
		}
		return color.Black
	})
	write(t, dir+"/10/a.png", half)
	write(t, dir+"/9/b.png", half)
	got := batch(t, "images:"+dir+"?resize=10&crop=10", 0, 2)
	if !slices.Equal(got.Labels, []int{0, 1}) { // folder 9 comes before folder 10
		t.Errorf("labels %v", got.Labels)
	}
	x := got.Inputs[""]
	d := tensor.Data[float32](x)
	if !slices.Equal(x.Shape, []int{2, 3, 10, 10}) || d[0] != 1 || d[9] != 0 {
		t.Errorf("shape %v, first row %v", x.Shape, d[:10])
	}

	write(t, dir+"/labels.csv", []byte("file,label\n10/a.png,5\n"))
	if got := batch(t, "images:"+dir, 0, 1); got.Labels[0] != 5 {
		t.Errorf("labels.csv: label %v", got.Labels)
	}
}

func TestNPZAndTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npz")
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, x := range map[string]*tensor.Tensor{
		"x":      tensor.Of([]int{3, 2}, []float32{1, 2, 3, 4, 5, 6}),
		"labels": tensor.Of([]int{3}, []int32{0, 1, 2}),
	} {
		w, err := z.Create(name + ".npy")
		if err != nil {
			t.Fatal(err)
		}
		if err := npy.Write(w, x); err != nil {
			t.Fatal(err)
		}
	}
	z.Close()
	write(t, path, b.Bytes())
	got := batch(t, "npz:"+path, 1, 3)
	if !slices.Equal(got.Labels, []int{1, 2}) || !slices.Equal(tensor.Data[float32](got.Inputs["x"]), []float32{3, 4, 5, 6}) {
		t.Errorf("got %v %v", got.Labels, got.Inputs)
	}
	tokens := batch(t, "tokens:"+assets.Path(t, "language/tinystories_tokens.npz"), 0, 2)
	if ids := tokens.Inputs["input_ids"]; ids == nil || ids.Type != tensor.Int64 || !slices.Equal(ids.Shape, []int{2, 256}) {
		t.Errorf("tokens %v", tokens.Inputs)
	}
}

func TestIDX(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/t10k-images-idx3-ubyte", append([]byte{0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2}, 0, 255, 0, 255))
	write(t, dir+"/t10k-labels-idx1-ubyte", []byte{0, 0, 8, 1, 0, 0, 0, 1, 6})
	got := batch(t, "idx:"+dir, 0, 1)
	if got.Labels[0] != 6 || !slices.Equal(tensor.Data[float32](got.Inputs[""]), []float32{0, 1, 0, 1}) {
		t.Errorf("got %v", got)
	}
}

func TestBadData(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/short.bin", make([]byte, 100))
	write(t, dir+"/bad/a.png", []byte("\x89PNG\r\n\x1a\nnothing"))
	write(t, dir+"/list/labels.csv", []byte("../../etc/passwd,1\n"))
	write(t, dir+"/nine.bin", record(9, 0, 0, 0))
	write(t, dir+"/idx/x-images", []byte{0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255})
	write(t, dir+"/idx/x-labels", []byte{0, 0, 8, 1, 0, 0, 0, 0})
	for spec, want := range map[string]string{
		"cifar":                                "want KIND:PATH",
		"cfar10:x":                             "unknown kind",
		"cifar10:x?blur=3":                     "no option",
		"cifar10:" + dir + "/none.bin":         "no such file",
		"cifar10:" + dir + "/short.bin":        "not whole records",
		"cifar10:" + dir + "/nine.bin?std=0":   "option std=0",
		"cifar10:" + dir + "/nine.bin?crop=3x": "option crop=3x",
		"images:" + dir + "/list":              "leaves the folder",
		"images:" + t.TempDir():                "no samples",
		"idx:" + dir + "/idx":                  "dimension",
		"npz:" + dir + "/short.bin":            "short.bin",
	} {
		if _, err := dataset.Open(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", spec, err, want)
		}
	}
	for spec, want := range map[string]string{
		"images:" + dir + "/bad":                  "a.png",
		"cifar10:" + dir + "/nine.bin?crop=64":    "smaller than the crop",
		"cifar10:" + dir + "/nine.bin?classes=9":  "not below classes=9",
		"cifar10:" + dir + "/nine.bin?mean=1,2":   "2 values of mean",
		"cifar10:" + dir + "/nine.bin?crop=64x64": "smaller than the crop",
	} {
		set, err := dataset.Open(spec)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := set.Batch(context.Background(), 0, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", spec, err, want)
		}
	}
}

func TestDefaultsDoNotOverride(t *testing.T) {
	s, err := dataset.ParseSpec("images:val?crop=100")
	if err != nil {
		t.Fatal(err)
	}
	s, err = s.WithDefaults("crop=224&mean=0.5")
	if err != nil {
		t.Fatal(err)
	}
	f := filepath.Join(t.TempDir(), "a.png")
	write(t, f, pngOf(t, 120, 100, func(int, int) color.Color { return color.White }))
	s.Paths = []string{filepath.Dir(f)}
	set, err := s.Open()
	if err != nil || set.Prepared() != "crop=100&mean=0.5" {
		t.Errorf("prepared %v, %v", set, err)
	}
}
