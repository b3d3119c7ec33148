// Package npy reads and writes NumPy's .npy and .npz files: C and Fortran
// order, little- and big-endian, the element types that ONNX has too.
package npy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"pare/tensor"
)

const magic = "\x93NUMPY"

// ErrFormat is wrapped by every error that is about the contents of a file
// rather than about reading it.
var ErrFormat = errors.New("not a usable npy array")

var codes = map[string]tensor.DType{
	"f4": tensor.Float32, "f8": tensor.Float64, "f2": tensor.Float16,
	"i1": tensor.Int8, "i2": tensor.Int16, "i4": tensor.Int32, "i8": tensor.Int64,
	"u1": tensor.Uint8, "u2": tensor.Uint16, "u4": tensor.Uint32, "u8": tensor.Uint64,
	"b1": tensor.Bool, "c8": tensor.Complex64, "c16": tensor.Complex128,
}

var header = regexp.MustCompile(`^\{\s*'descr':\s*'([<>|=])([a-z]\d+)',\s*'fortran_order':\s*(True|False),\s*'shape':\s*\(([0-9, ]*)\),?\s*\}\s*$`)

// Read decodes one array. It reads no further than the array's end.
func Read(r io.Reader) (*tensor.Tensor, error) {
	h, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	size := h.dtype.Bits() / 8
	n, err := tensor.CheckedLen(h.shape)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	// Growing with the data bounds memory when the header lies.
	var buf bytes.Buffer
	got, err := io.CopyN(&buf, r, int64(n)*int64(size))
	if err != nil {
		return nil, fmt.Errorf("%w: %d of %d bytes of data present", ErrFormat, got, n*size)
	}
	raw := buf.Bytes()
	if h.bigEndian {
		swapBytes(raw, size, h.dtype)
	}
	if h.fortran {
		raw = transpose(raw, h.shape, size)
	}
	out := tensor.New(h.dtype, h.shape...)
	copy(out.Bytes(), raw)
	return out, nil
}

type head struct {
	dtype              tensor.DType
	bigEndian, fortran bool
	shape              []int
}

func readHeader(r io.Reader) (head, error) {
	var pre [8]byte
	if _, err := io.ReadFull(r, pre[:]); err != nil || string(pre[:6]) != magic {
		return head{}, fmt.Errorf("%w: no NumPy header", ErrFormat)
	}
	var n uint32
	if pre[6] == 1 {
		var short uint16
		if err := binary.Read(r, binary.LittleEndian, &short); err != nil {
			return head{}, fmt.Errorf("%w: header cut short", ErrFormat)
		}
		n = uint32(short)
	} else if err := binary.Read(r, binary.LittleEndian, &n); err != nil {
		return head{}, fmt.Errorf("%w: header cut short", ErrFormat)
	}
	if n > 1<<20 {
		return head{}, fmt.Errorf("%w: header of %d bytes", ErrFormat, n)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return head{}, fmt.Errorf("%w: header cut short", ErrFormat)
	}
	m := header.FindStringSubmatch(strings.TrimSpace(string(text)))
	if m == nil {
		return head{}, fmt.Errorf("%w: header %q", ErrFormat, strings.TrimSpace(string(text)))
	}
	dt, ok := codes[m[2]]
	if !ok {
		return head{}, fmt.Errorf("%w: element type %q has no counterpart", ErrFormat, m[2])
	}
	h := head{dtype: dt, bigEndian: m[1] == ">", fortran: m[3] == "True"}
	for _, f := range strings.FieldsFunc(m[4], func(c rune) bool { return c == ',' || c == ' ' }) {
		d, err := strconv.Atoi(f)
		if err != nil {
			return head{}, fmt.Errorf("%w: dimension %q", ErrFormat, f)
		}
		h.shape = append(h.shape, d)
	}
	return h, nil
}

func swapBytes(raw []byte, size int, dt tensor.DType) {
	if dt == tensor.Complex64 || dt == tensor.Complex128 {
		size /= 2
	}
	for i := 0; i+size <= len(raw); i += size {
		slices.Reverse(raw[i : i+size])
	}
}

// transpose turns Fortran order into C order.
func transpose(raw []byte, shape []int, size int) []byte {
	out := make([]byte, len(raw))
	idx := make([]int, len(shape))
	for at := 0; at < len(raw); at += size {
		src, stride := 0, 1
		for d := range shape {
			src += idx[d] * stride
			stride *= shape[d]
		}
		copy(out[at:at+size], raw[src*size:(src+1)*size])
		for d := len(shape) - 1; d >= 0; d-- {
			if idx[d]++; idx[d] < shape[d] {
				break
			}
			idx[d] = 0
		}
	}
	return out
}

// Write encodes one array in C order. Types that NumPy lacks are refused:
// convert first.
func Write(w io.Writer, t *tensor.Tensor) error {
	code := ""
	for c, d := range codes {
		if d == t.Type {
			code = c
		}
	}
	if code == "" {
		return fmt.Errorf("NumPy has no element type for %v", t)
	}
	order := "<"
	if t.Type.Bits() == 8 {
		order = "|"
	}
	dims := make([]string, len(t.Shape))
	for i, d := range t.Shape {
		dims[i] = strconv.Itoa(d)
	}
	shape := strings.Join(dims, ", ")
	if len(dims) == 1 {
		shape += ","
	}
	text := fmt.Sprintf("{'descr': '%s%s', 'fortran_order': False, 'shape': (%s), }", order, code, shape)
	pad := 64 - (len(magic)+4+len(text)+1)%64
	text += strings.Repeat(" ", pad%64) + "\n"
	buf := append([]byte(magic), 1, 0)
	buf = binary.LittleEndian.AppendUint16(buf, uint16(len(text)))
	if _, err := w.Write(append(buf, text...)); err != nil {
		return err
	}
	_, err := w.Write(t.Bytes())
	return err
}
