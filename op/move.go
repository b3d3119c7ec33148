package op

import "pare/tensor"

// take returns a tensor whose element i is element src[i] of t; where src[i] is
// negative it is zero (the empty string). It serves everything that only moves
// elements, for every element type.
func take(c *Eval, t *tensor.Tensor, shape []int, src []int) *tensor.Tensor {
	out := c.New(t.Type, shape...)
	if t.Type == tensor.String {
		moveElems(out.Strings(), t.Strings(), src)
		return out
	}
	switch t.Type.Bits() {
	case 2, 4:
		codes := make([]byte, len(src))
		moveElems(codes, tensor.Codes(t), src)
		return tensor.FromCodes(t.Type, shape, codes)
	case 8:
		moveElems(out.Bytes(), t.Bytes(), src)
	default:
		moveBytes(out.Bytes(), t.Bytes(), src, t.Type.Bits()/8)
	}
	return out
}

func moveElems[T any](out, in []T, src []int) {
	for i, s := range src {
		if s >= 0 {
			out[i] = in[s]
		}
	}
}

func moveBytes(out, in []byte, src []int, size int) {
	for i, s := range src {
		if s >= 0 {
			copy(out[i*size:(i+1)*size], in[s*size:(s+1)*size])
		}
	}
}

// expandTo repeats t by the rules of broadcasting; t itself when it has the
// shape already.
func expandTo(c *Eval, t *tensor.Tensor, shape []int) *tensor.Tensor {
	if len(t.Shape) == len(shape) && t.Len() == tensor.Len(shape) {
		return t
	}
	src := make([]int, tensor.Len(shape))
	rows(shape, [][]int{t.Shape}, func(at, n int, index, step []int) {
		for i := range n {
			src[at+i] = index[0] + i*step[0]
		}
	})
	return take(c, t, shape, src)
}
