package npy_test

import (
	"bytes"
	"errors"
	"testing"

	"pare/internal/npy"
	"pare/tensor"
)

func TestRoundTrip(t *testing.T) {
	for _, x := range []*tensor.Tensor{
		tensor.Of([]int{2, 3}, []float32{1, 2, 3, 4, 5, 6}),
		tensor.Of([]int{3}, []int64{-1, 0, 1 << 40}),
		tensor.Of(nil, []bool{true}),
		tensor.Of([]int{2}, []complex64{1i, 2}),
		tensor.New(tensor.Uint8, 0, 4),
	} {
		var b bytes.Buffer
		if err := npy.Write(&b, x); err != nil {
			t.Fatal(err)
		}
		if b.Len()%64 != len(x.Bytes())%64 {
			t.Errorf("%v: data not aligned to 64 bytes", x)
		}
		y, err := npy.Read(&b)
		if err != nil || !tensor.Equal(x, y) {
			t.Errorf("%v came back as %v, %v", x, y, err)
		}
	}
}

// array builds a version-1 file by hand.
func array(header string, data ...byte) []byte {
	b := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), byte(len(header)>>8))
	return append(append(b, header...), data...)
}

func TestForeignOrders(t *testing.T) {
	fortran := array("{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3), }\n", 1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6, 0)
	big := array("{'descr': '>i2', 'fortran_order': False, 'shape': (2, 3), }\n", 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6)
	want := tensor.Of([]int{2, 3}, []int16{1, 2, 3, 4, 5, 6})
	for _, file := range [][]byte{fortran, big} {
		got, err := npy.Read(bytes.NewReader(file))
		if err != nil || !tensor.Equal(got, want) {
			t.Errorf("got %v, %v", got, err)
		}
	}
}

func TestBadFiles(t *testing.T) {
	good := array("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", 0, 0, 0, 0, 1, 1, 1, 1)
	for n := range good {
		if _, err := npy.Read(bytes.NewReader(good[:n])); !errors.Is(err, npy.ErrFormat) {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
	for _, h := range []string{
		"{'descr': '<O8', 'fortran_order': False, 'shape': (2,), }",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999), }",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (999999999,), }",
		"import os",
	} {
		if _, err := npy.Read(bytes.NewReader(array(h))); !errors.Is(err, npy.ErrFormat) {
			t.Errorf("%s: %v", h, err)
		}
	}
}
