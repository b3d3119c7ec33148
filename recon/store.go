package recon

import (
	"fmt"
	"os"
	"slices"

	"pare/internal/fault"
	"pare/tensor"
)

// Store keeps one value of many samples on disk, in a file without a name that goes
// when it is closed or the process ends. Only what is asked for is in memory.
// Samples may differ in shape; their first dimension, 1, is left out.
type Store struct {
	file   *os.File
	dtype  tensor.DType
	shapes [][]int // by sample; equal ones are shared
	at     []int64 // where samples begin; one more for the end
}

// NewStore makes an empty store in the system's folder for temporary files.
func NewStore() (*Store, error) {
	f, err := os.CreateTemp("", "pare-units-*")
	if err != nil {
		return nil, storeError(err)
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, storeError(err)
	}
	return &Store{file: f, at: []int64{0}}, nil
}

func storeError(err error) error {
	return fault.Hint(fmt.Errorf("keeping what units read and compute on disk: %w", err), "set TMPDIR to a folder with more room, or take fewer samples")
}

// Close frees the space. A nil store has none.
func (s *Store) Close() {
	if s != nil {
		s.file.Close() // nothing is kept
	}
}

// Len is the number of samples.
func (s *Store) Len() int { return len(s.shapes) }

// Shape is that of a sample, without the batch's dimension.
func (s *Store) Shape(i int) []int { return s.shapes[i] }

// Append adds the samples of a batch of n. Elements must fill whole bytes, and the
// first dimension must count samples.
func (s *Store) Append(t *tensor.Tensor, n int) error {
	switch {
	case t.Rank() == 0 || t.Shape[0] != n:
		return &NotBatchedError{t.Shape, n}
	case t.Type.Bits()%8 != 0:
		return fmt.Errorf("values of type %v are not kept", t.Type)
	}
	s.dtype = t.Type
	shape := slices.Clone(t.Shape[1:])
	if k := len(s.shapes); k > 0 && slices.Equal(s.shapes[k-1], shape) {
		shape = s.shapes[k-1]
	}
	end := s.at[len(s.at)-1]
	if _, err := s.file.WriteAt(t.Bytes(), end); err != nil {
		return storeError(err)
	}
	each := int64(t.Type.ByteLen(tensor.Len(shape)))
	for range n {
		end += each
		s.shapes, s.at = append(s.shapes, shape), append(s.at, end)
	}
	return nil
}

// NotBatchedError reports a value whose first dimension does not count samples.
type NotBatchedError struct {
	Shape   []int
	Samples int
}

// Error implements error.
func (e *NotBatchedError) Error() string {
	return fmt.Sprintf("a value of shape %v does not lie sample by sample in a batch of %d", e.Shape, e.Samples)
}

// Read returns the given samples, which have one shape, as a batch: in dst where that
// has their type and shape, else in a new tensor.
func (s *Store) Read(samples []int, dst *tensor.Tensor) (*tensor.Tensor, error) {
	shape := append([]int{len(samples)}, s.shapes[samples[0]]...)
	if dst == nil || dst.Type != s.dtype || !slices.Equal(dst.Shape, shape) {
		dst = tensor.New(s.dtype, shape...)
	}
	raw := dst.Bytes()
	for len(samples) > 0 { // neighbours in one go
		n := 1
		for n < len(samples) && samples[n] == samples[n-1]+1 {
			n++
		}
		size := s.at[samples[n-1]+1] - s.at[samples[0]]
		if int64(len(raw)) < size {
			return nil, fmt.Errorf("samples %v differ in shape", samples)
		}
		if _, err := s.file.ReadAt(raw[:size], s.at[samples[0]]); err != nil {
			return nil, storeError(err)
		}
		raw, samples = raw[size:], samples[n:]
	}
	return dst, nil
}
