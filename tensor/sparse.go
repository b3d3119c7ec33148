package tensor

import "fmt"

// Sparse is a tensor in coordinate form. Values has shape [NNZ]; Indices is
// Int64, either [NNZ] (linear, ascending) or [NNZ, rank].
type Sparse struct {
	Shape           []int
	Values, Indices *Tensor
}

// Dense expands s, with zeros at the positions that it does not list. It
// reports indices outside the shape.
func (s *Sparse) Dense() (*Tensor, error) {
	n, err := CheckedLen(s.Shape)
	if err != nil {
		return nil, err
	}
	if s.Values.Type.Bits() < 8 || s.Indices.Type != Int64 {
		return nil, fmt.Errorf("sparse tensor with %v values and %v indices", s.Values.Type, s.Indices.Type)
	}
	out := New(s.Values.Type, s.Shape...)
	size := s.Values.Type.Bits() / 8
	idx := Data[int64](s.Indices)
	nnz := s.Values.Len()
	rank := 1
	if s.Indices.Rank() == 2 {
		rank = len(s.Shape)
	}
	if len(idx) != nnz*rank || rank == 0 && nnz > 0 {
		return nil, fmt.Errorf("sparse tensor with %d values and %d indices", nnz, len(idx))
	}
	for k := range nnz {
		at := idx[k]
		if rank > 1 {
			at = 0
			for d, i := range idx[k*rank : (k+1)*rank] {
				if i < 0 || i >= int64(s.Shape[d]) {
					return nil, fmt.Errorf("sparse index %v outside shape %v", idx[k*rank:(k+1)*rank], s.Shape)
				}
				at = at*int64(s.Shape[d]) + i
			}
		}
		if at < 0 || at >= int64(n) {
			return nil, fmt.Errorf("sparse index %d outside shape %v", at, s.Shape)
		}
		copy(out.raw[int(at)*size:(int(at)+1)*size], s.Values.bytes()[k*size:(k+1)*size])
	}
	return out, nil
}
