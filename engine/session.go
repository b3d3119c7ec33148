package engine

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"pare/internal/fault"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// Session runs a program. It may be used by several goroutines, whose runs then
// follow each other; to run at the same time, make a session for each.
type Session struct {
	p     *Program
	mu    sync.Mutex
	frame *frame
}

// Program is the program that the session runs.
func (s *Session) Program() *Program { return s.p }

// Inputs are the inputs of the model; those that are constants have a default.
func (s *Session) Inputs() []*ir.Value { return s.p.inputs }

// Outputs are the outputs of the model, without extra values.
func (s *Session) Outputs() []*ir.Value { return s.p.outputs }

// Run computes the outputs and the extra values, by name. Tensors given are
// read and not kept; those returned belong to the caller. Shapes may vary
// from run to run where the model leaves them open; the first run of
// new shapes compiles for them.
func (s *Session) Run(ctx context.Context, in map[string]*tensor.Tensor) (map[string]*tensor.Tensor, error) {
	vals := make(map[string]op.Val, len(in))
	for name, t := range in {
		if t != nil {
			vals[name] = t
		}
	}
	out, err := s.RunValues(ctx, vals)
	if err != nil {
		return nil, err
	}
	res := make(map[string]*tensor.Tensor, len(out))
	for name, x := range out {
		t, ok := x.(*tensor.Tensor)
		if !ok {
			return nil, fmt.Errorf("output %q is not a tensor but %v", name, op.TypeOfVal(x))
		}
		res[name] = t
	}
	return res, nil
}

// RunValues is Run for models with sequences and optional values.
func (s *Session) RunValues(ctx context.Context, in map[string]op.Val) (map[string]op.Val, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.steps(ctx, in, nil)
	if err != nil {
		return nil, err
	}
	defer f.release()
	return s.collect(f)
}

// steps performs all steps, calls next before each unless it is nil, and returns
// the frame with the results, still to be released.
func (s *Session) steps(ctx context.Context, in map[string]op.Val, next func()) (*frame, error) {
	f, err := s.prepare(ctx, in)
	if err != nil {
		return nil, err
	}
	f.job.Join()
	defer f.job.Leave()
	for _, st := range f.s.steps {
		if next != nil {
			next()
		}
		if err := f.run(ctx, st); err != nil {
			f.release()
			return nil, err
		}
	}
	return f, nil
}

// ArenaBytes is the memory for intermediate values and scratch of the latest
// run's shapes; 0 before the first run.
func (s *Session) ArenaBytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.frame == nil {
		return 0
	}
	return 4 * int64(len(s.frame.arena)+len(s.frame.scratch))
}

// prepare checks the inputs, compiles where needed, and binds the inputs.
func (s *Session) prepare(ctx context.Context, in map[string]op.Val) (*frame, error) {
	if err := checkInputs(s.p.inputs, in); err != nil {
		return nil, err
	}
	sp, err := s.p.specialise(ctx, in)
	if err != nil {
		return nil, err
	}
	if s.frame == nil || s.frame.s != sp {
		s.frame = newFrame(sp, s.p.o.Threads)
	}
	s.frame.bind(in)
	return s.frame, nil
}

// bind points external buffers and boxes at the inputs.
func (f *frame) bind(in map[string]op.Val) {
	for _, src := range f.s.inputs {
		x := in[src.name]
		if src.ext >= 0 {
			f.ext[src.ext] = tensor.Float32s(x.(*tensor.Tensor))
		}
		if src.box >= 0 {
			f.boxes[src.box] = x
		}
	}
}

// release lets go of what belongs to the caller.
func (f *frame) release() {
	clear(f.ext)
	clear(f.boxes)
}

// run performs one step; a panic becomes an error that names the node.
func (f *frame) run(ctx context.Context, st *step) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if st.serial != nil {
		return f.serial(ctx, st)
	}
	f.task, f.job.Tasks = st.task, st.tasks
	if p := f.job.Do(ctx); p != nil {
		return crashed(st, p)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

func (f *frame) serial(ctx context.Context, st *step) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = crashed(st, fmt.Sprintf("%v\n%s", p, debug.Stack()))
		}
	}()
	err = st.serial(ctx, f)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for _, i := range st.drop {
		f.boxes[i] = nil
	}
	return err
}

func crashed(st *step, p any) error {
	return fault.AtNode(st.node, fmt.Errorf("step %s: %v", st.kernel, p))
}

// collect gathers what Run returns.
func (s *Session) collect(f *frame) (map[string]op.Val, error) {
	out := make(map[string]op.Val, len(s.p.wanted))
	for i, name := range s.p.wanted {
		x, err := f.s.out[i].value(f)
		if err != nil {
			return nil, fmt.Errorf("output %q: %w", name, err)
		}
		out[name] = x
	}
	return out, nil
}
