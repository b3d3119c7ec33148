package engine

import (
	"context"
	"unsafe"

	"pare/internal/crew"
	"pare/internal/hugepage"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// buf is memory of float32 elements: a part of the arena, a constant, or an
// operand of the run.
type buf struct {
	floats int
	data   []float32 // of a constant
	ext    int       // index of an operand; -1 for others

	off         int // in the arena
	first, last int // steps between which it is in use
	heir        *buf
}

func (b *buf) inArena() bool { return b.data == nil && b.ext < 0 }

// root is the buffer whose memory b shares.
func (b *buf) root() *buf {
	for b.heir != nil {
		b = b.heir
	}
	return b
}

// place is where the elements of a real tensor lie. A place with channels last
// may have gaps between pixels: stride elements from one to the next, 0 for
// none.
type place struct {
	b      *buf
	off    int
	stride int
}

// step is one unit of work of a program. Either task or serial is set.
type step struct {
	node    *ir.Node
	kernel  string
	flops   int64
	integer bool   // flops are of integers
	floats  string // why they are not, though operands come from grids
	bytes   int64
	tasks   int
	scratch int
	task    func(f *frame, task int, scratch []float32)
	serial  func(ctx context.Context, f *frame) error

	reads, writes []*buf
	reuse         *buf // a read whose memory the first write may take
	drop          []int
}

// frame is the memory of one session for one specialisation.
type frame struct {
	s       *special
	arena   []float32
	scratch []float32
	ext     [][]float32
	boxes   []op.Val
	interp  *op.Interp
	job     crew.Job
	task    func(f *frame, task int, scratch []float32) // of the running step
}

func newFrame(s *special, threads int) *frame {
	f := &frame{s: s, ext: make([][]float32, s.ext), boxes: make([]op.Val, s.boxes)}
	f.interp = &op.Interp{Model: s.model}
	all := aligned(s.arena + threads*s.work)
	f.arena, f.scratch = all[:s.arena:s.arena], all[s.arena:]
	f.job.Run = func(thread, task int) { f.task(f, task, f.scratch[thread*s.work:(thread+1)*s.work]) }
	f.job.Init(threads)
	return f
}

// line is the alignment of buffers in float32 elements, a line of the cache.
const line = 16

// aligned returns n elements that start at a line of the cache.
func aligned(n int) []float32 {
	all := hugepage.Float32s(n + line)
	skip := 0
	for uintptr(unsafe.Pointer(&all[skip]))%(4*line) != 0 {
		skip++
	}
	return all[skip : skip+n : skip+n]
}

// at is the memory of a place, from its first element to the end of its buffer.
func (f *frame) at(p place) []float32 {
	b := p.b
	switch {
	case b.data != nil:
		return b.data[p.off:]
	case b.ext >= 0:
		return f.ext[b.ext][p.off:]
	}
	return f.arena[b.off+p.off : b.off+b.floats]
}

// maybe is at, nil for no place.
func (f *frame) maybe(p place) []float32 {
	if p.b == nil {
		return nil
	}
	return f.at(p)
}

// boxed is a copy of a real value as a tensor of its type.
func boxed(t tensor.DType, shape []int, x []float32) (*tensor.Tensor, error) {
	copied := tensor.New(tensor.Float32, shape...)
	copy(tensor.Data[float32](copied), x)
	if t == tensor.Float32 {
		return copied, nil
	}
	return tensor.Convert(copied, t, tensor.Options{})
}
