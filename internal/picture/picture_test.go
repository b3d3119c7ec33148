package picture_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"pare/internal/picture"
)

// gradient is a smooth colour image.
func gradient(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, color.RGBA{uint8(10 + 6*x), uint8(200 - 6*y), uint8(240 - 6*x), 255})
		}
	}
	return m
}

func pixels(m *image.RGBA) []byte {
	var out []byte
	for i := 0; i < len(m.Pix); i += 4 {
		out = append(out, m.Pix[i:i+3]...)
	}
	return out
}

func TestDecodeKeepsPixels(t *testing.T) {
	want := gradient(37, 21)
	var buf bytes.Buffer
	if err := png.Encode(&buf, want); err != nil {
		t.Fatal(err)
	}
	got, err := picture.Decode(buf.Bytes(), 1<<20)
	if err != nil || got.Width != 37 || got.Height != 21 || !bytes.Equal(got.Pix, pixels(want)) {
		t.Fatalf("PNG: %v, %v", got, err)
	}
	buf.Reset()
	// The encoder halves the chroma planes along both axes.
	if err := jpeg.Encode(&buf, want, &jpeg.Options{Quality: 98}); err != nil {
		t.Fatal(err)
	}
	if got, err = picture.Decode(buf.Bytes(), 1<<20); err != nil {
		t.Fatal(err)
	}
	worst := 0
	for i, p := range pixels(want) {
		worst = max(worst, int(p)-int(got.Pix[i]), int(got.Pix[i])-int(p))
	}
	if worst > 5 { // with chroma repeated instead of interpolated it is 8
		t.Errorf("JPEG: a pixel is off by %d", worst)
	}
}

func TestDecodePortableFormats(t *testing.T) {
	for name, data := range map[string]string{
		"text":       "P3 # comment\n2 1\n255\n255 0 0  0 0 255\n",
		"raw":        "P6 2 1 255\n\xff\x00\x00\x00\x00\xff",
		"deep":       "P6\n2 1\n65535\n\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff",
		"few levels": "P3 2 1 1 1 0 0 0 0 1",
	} {
		got, err := picture.Decode([]byte(data), 1<<20)
		if err != nil || !bytes.Equal(got.Pix, []byte{255, 0, 0, 0, 0, 255}) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for name, data := range map[string]string{
		"bitmap as text": "P1 3 1 0 1 0", "bitmap": "P4 3 1\n\x40", "gray as text": "P2 3 1 9 9 0 9", "gray": "P5 3 1 255\n\xff\x00\xff",
	} {
		got, err := picture.Decode([]byte(data), 1<<20)
		if err != nil || !bytes.Equal(got.Gray(), []byte{255, 0, 255}) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	var buf bytes.Buffer
	if err := png.Encode(&buf, gradient(37, 21)); err != nil {
		t.Fatal(err)
	}
	if _, err := picture.Decode(buf.Bytes(), 100); !errors.Is(err, picture.ErrTooLarge) {
		t.Errorf("a large image: %v", err)
	}
	if _, err := picture.Decode([]byte("\xff\x4f\xff\x51"), 100); !errors.Is(err, picture.ErrFormat) {
		t.Errorf("JPEG 2000: %v", err)
	}
	for _, data := range []string{"", "P6 2 1 255\n\xff", "P6 0 0 255\n", "P5 99999 99999 255\n", "P3 2 1 x", "BM", "\x89PNG"} {
		if got, err := picture.Decode([]byte(data), 1<<40); err == nil {
			t.Errorf("%q decodes to %v", data, got)
		}
	}
}

// TestDecodeIsExact compares with the pixels that libjpeg-turbo and libwebp give
// for the same files.
func TestDecodeIsExact(t *testing.T) {
	for file, pixels := range map[string]string{
		"progressive.jpg": "progressive.ppm", "sequential.jpg": "sequential.ppm", "lossy.webp": "lossy.ppm",
	} {
		got, want := read(t, file), read(t, pixels)
		if got.Width != want.Width || !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("%s: pixels differ", file)
		}
	}
}

func read(t *testing.T, name string) *picture.RGB {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	m, err := picture.Decode(data, 1<<20)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	// Whatever is cut off or damaged ends without a panic.
	for i := range data {
		damaged := bytes.Clone(data)
		damaged[i] ^= 0x55
		_, _ = picture.Decode(damaged, 1<<20)
		_, _ = picture.Decode(data[:i], 1<<20)
	}
	return m
}
