package tensor_test

import (
	"math"
	"slices"
	"testing"

	"pare/tensor"
)

var narrowFloats = []tensor.DType{tensor.Float16, tensor.BFloat16, tensor.Float8E4M3FN, tensor.Float8E4M3FNUZ,
	tensor.Float8E5M2, tensor.Float8E5M2FNUZ, tensor.Float4E2M1, tensor.Float8E8M0}

// allCodes is a tensor with every bit pattern of a type of at most 16 bits.
func allCodes(t tensor.DType) *tensor.Tensor {
	n := 1 << t.Bits()
	if t.Bits() == 16 {
		out := tensor.New(t, n)
		for i := range n {
			out.Bytes()[2*i], out.Bytes()[2*i+1] = byte(i), byte(i>>8)
		}
		return out
	}
	codes := make([]byte, n)
	for i := range codes {
		codes[i] = byte(i)
	}
	return tensor.FromCodes(t, []int{n}, codes)
}

// TestNarrowRoundTrip decodes every bit pattern of every narrow type, encodes
// the value and expects the same value.
func TestNarrowRoundTrip(t *testing.T) {
	for _, dt := range narrowFloats {
		x := tensor.Float32s(allCodes(dt))
		y, err := tensor.FromFloat32s(dt, []int{len(x)}, x)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range tensor.Float64s(y) {
			inf := math.IsInf(float64(x[i]), 0) && dt.Bits() == 8 // saturates
			if v != float64(x[i]) && !(v != v && x[i] != x[i]) && !inf {
				t.Fatalf("%v: code %#x is %g, which encodes to %g", dt, i, x[i], v)
			}
		}
	}
}

// TestNarrowRounding puts numbers between all neighbours of every type with a
// mantissa and expects the nearer one, on ties the one with the even code.
func TestNarrowRounding(t *testing.T) {
	for _, dt := range narrowFloats {
		if dt == tensor.Float8E8M0 {
			continue
		}
		values := tensor.Float64s(allCodes(dt))[:1<<(dt.Bits()-1)]
		var in, want []float64
		for i, lo := range values[:len(values)-1] {
			hi := values[i+1]
			if hi != hi || math.IsInf(hi, 0) || lo != lo {
				break
			}
			even := lo
			if i%2 == 1 {
				even = hi
			}
			mid := (lo + hi) / 2
			in = append(in, mid, math.Nextafter(mid, 0), math.Nextafter(mid, math.Inf(1)), -mid)
			want = append(want, even, lo, hi, -even)
		}
		y, err := tensor.FromFloat64s(dt, []int{len(in)}, in)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range tensor.Float64s(y) {
			if v != want[i] {
				t.Fatalf("%v: %g becomes %g, want %g", dt, in[i], v, want[i])
			}
		}
	}
}

// TestSpecialValues follows the tables of the ONNX operator Cast.
func TestSpecialValues(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	in := []float64{0, math.Copysign(0, -1), nan, inf, -inf, 1e6, -1e6}
	tests := []struct {
		dt         tensor.DType
		noSaturate bool
		want       []byte
	}{
		{tensor.Float8E4M3FN, false, []byte{0, 0x80, 0x7f, 0x7e, 0xfe, 0x7e, 0xfe}},
		{tensor.Float8E4M3FNUZ, false, []byte{0, 0, 0x80, 0x7f, 0xff, 0x7f, 0xff}},
		{tensor.Float8E5M2, false, []byte{0, 0x80, 0x7e, 0x7b, 0xfb, 0x7b, 0xfb}},
		{tensor.Float8E5M2FNUZ, false, []byte{0, 0, 0x80, 0x7f, 0xff, 0x7f, 0xff}},
		{tensor.Float8E4M3FN, true, []byte{0, 0x80, 0x7f, 0x7f, 0xff, 0x7f, 0xff}},
		{tensor.Float8E4M3FNUZ, true, []byte{0, 0, 0x80, 0x80, 0x80, 0x80, 0x80}},
		{tensor.Float8E5M2, true, []byte{0, 0x80, 0x7e, 0x7c, 0xfc, 0x7c, 0xfc}},
		{tensor.Float8E5M2FNUZ, true, []byte{0, 0, 0x80, 0x80, 0x80, 0x80, 0x80}},
		{tensor.Float4E2M1, false, []byte{0, 8, 8, 7, 15, 7, 15}},
	}
	for _, tc := range tests {
		y, err := tensor.Convert(tensor.Of([]int{len(in)}, in), tc.dt, tensor.Options{NoSaturate: tc.noSaturate})
		if err != nil {
			t.Fatal(err)
		}
		if got := tensor.Codes(y); !slices.Equal(got, tc.want) {
			t.Errorf("%v, saturate %v: got %#x, want %#x", tc.dt, !tc.noSaturate, got, tc.want)
		}
	}
	half, err := tensor.FromFloat64s(tensor.Float16, []int{4}, []float64{65519.99, 65520, 1 + 0x1p-11, 1 + 0x1p-11 + 0x1p-40})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tensor.Float64s(half), []float64{65504, inf, 1, 1 + 0x1p-10}; !slices.Equal(got, want) {
		t.Errorf("halves are %v, want %v", got, want)
	}
}

func TestScaleRounding(t *testing.T) {
	in := []float64{1, 1.25, 1.5, 1.75, 0x1p-127, 0, 1e39, math.NaN()}
	for r, want := range map[tensor.Rounding][]byte{
		tensor.RoundUp:      {127, 128, 128, 128, 0, 0, 254, 255},
		tensor.RoundDown:    {127, 127, 127, 127, 0, 0, 254, 255},
		tensor.RoundNearest: {127, 127, 128, 128, 0, 0, 254, 255},
	} {
		y, err := tensor.Convert(tensor.Of([]int{len(in)}, in), tensor.Float8E8M0, tensor.Options{Scale: r})
		if err != nil {
			t.Fatal(err)
		}
		if got := tensor.Codes(y); !slices.Equal(got, want) {
			t.Errorf("rounding %d: got %v, want %v", r, got, want)
		}
	}
}

func TestIntegerConversions(t *testing.T) {
	x := tensor.Of([]int{5}, []int32{200, -9, 300, -1, 7})
	for dt, want := range map[tensor.DType][]float64{
		tensor.Int8:   {-56, -9, 44, -1, 7},
		tensor.Uint8:  {200, 247, 44, 255, 7},
		tensor.Int4:   {-8, 7, -4, -1, 7},
		tensor.Uint4:  {8, 7, 12, 15, 7},
		tensor.Int2:   {0, -1, 0, -1, -1},
		tensor.Uint2:  {0, 3, 0, 3, 3},
		tensor.Uint64: {200, 0x1p64, 300, 0x1p64, 7},
		tensor.Bool:   {1, 1, 1, 1, 1},
	} {
		y, err := tensor.Convert(x, dt, tensor.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := tensor.Float64s(y); !slices.Equal(got, want) {
			t.Errorf("%v: got %v, want %v", dt, got, want)
		}
	}
	big := tensor.Of([]int{2}, []int64{1<<60 + 1, math.MaxInt64})
	y, err := tensor.Convert(big, tensor.Uint64, tensor.Options{})
	if err != nil || tensor.Data[uint64](y)[0] != 1<<60+1 {
		t.Errorf("64-bit integers lost bits: %v %v", y, err)
	}
	f := tensor.Of([]int{6}, []float32{-1.9, 2.9, 1e20, float32(math.NaN()), -3e9, 300})
	for dt, want := range map[tensor.DType][]float64{
		tensor.Int32: {-1, 2, math.MinInt32, math.MinInt32, math.MinInt32, 300},
		tensor.Int64: {-1, 2, math.MinInt64, math.MinInt64, -3e9, 300},
		tensor.Uint8: {255, 2, 0, 0, 0, 44},
	} {
		y, err := tensor.Convert(f, dt, tensor.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := tensor.Float64s(y); !slices.Equal(got, want) {
			t.Errorf("%v: got %v, want %v", dt, got, want)
		}
	}
}

func TestCodes(t *testing.T) {
	for _, dt := range []tensor.DType{tensor.Int4, tensor.Uint4, tensor.Int2, tensor.Uint2, tensor.Float4E2M1} {
		codes := []byte{1, 3, 2, 0, 3, 1, 2}
		x := tensor.FromCodes(dt, []int{7}, codes)
		if got := tensor.Codes(x); !slices.Equal(got, codes) {
			t.Errorf("%v: got %v, want %v", dt, got, codes)
		}
		if len(x.Bytes()) != dt.ByteLen(7) {
			t.Errorf("%v: %d bytes", dt, len(x.Bytes()))
		}
	}
	if got := tensor.FromCodes(tensor.Uint4, []int{3}, []byte{1, 2, 15}).Bytes(); !slices.Equal(got, []byte{0x21, 0x0f}) {
		t.Errorf("nibbles are packed as %#x, the first must be the low one", got)
	}
	signed := tensor.Ints8(tensor.FromCodes(tensor.Int4, []int{3}, []byte{7, 8, 15}))
	if !slices.Equal(signed, []int16{7, -8, -1}) {
		t.Errorf("signed nibbles are %v", signed)
	}
}

func TestConvertRefuses(t *testing.T) {
	if _, err := tensor.Convert(tensor.OfStrings([]int{1}, []string{"a"}), tensor.Float32, tensor.Options{}); err == nil {
		t.Error("a string became a number")
	}
}
