package ort

import (
	"errors"
	"fmt"
	"reflect"

	ortgo "github.com/yalue/onnxruntime_go"

	"pare/tensor"
)

// Options say how ONNX Runtime runs a model.
type Options struct {
	Threads int // 0 for one
	// Optimise turns graph optimisations on. Off is the exact reading of the
	// file: with them, 8-bit kernels saturate on CPUs without VNNI.
	Optimise bool
}

// Session is a model loaded by ONNX Runtime.
type Session struct {
	in, out []string
	shapes  map[string][]int // of the inputs, -1 where symbolic
	s       *ortgo.DynamicAdvancedSession
}

// Open loads a model file.
func Open(path string, o Options) (*Session, error) {
	if err := start(); err != nil {
		return nil, err
	}
	in, out, err := ortgo.GetInputOutputInfo(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(in) == 0 {
		return nil, fmt.Errorf("%s: the driver cannot run a model without inputs", path)
	}
	so, err := ortgo.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer so.Destroy()
	level := ortgo.GraphOptimizationLevel(ortgo.GraphOptimizationLevelDisableAll)
	if o.Optimise {
		level = ortgo.GraphOptimizationLevelEnableAll
	}
	if err := errors.Join(so.SetIntraOpNumThreads(max(o.Threads, 1)), so.SetInterOpNumThreads(1), so.SetGraphOptimizationLevel(level),
		// Workers that spin between runs would take the processors from whoever runs in
		// turn. Small networks on several threads are slower for it.
		so.AddSessionConfigEntry("session.intra_op.allow_spinning", "0")); err != nil {
		return nil, err
	}
	s := &Session{shapes: map[string][]int{}}
	for _, i := range in {
		s.in = append(s.in, i.Name)
		for _, d := range i.Dimensions {
			s.shapes[i.Name] = append(s.shapes[i.Name], int(d))
		}
	}
	for _, o := range out {
		s.out = append(s.out, o.Name)
	}
	if s.s, err = ortgo.NewDynamicAdvancedSession(path, s.in, s.out, so); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// Close frees the session.
func (s *Session) Close() error { return s.s.Destroy() }

// Inputs lists the names of the inputs, in the file's order.
func (s *Session) Inputs() []string { return s.in }

// Run computes all outputs. Every input must be present; the driver knows
// neither tensors without elements nor strings.
func (s *Session) Run(inputs map[string]*tensor.Tensor) (map[string]*tensor.Tensor, error) {
	in := make([]ortgo.Value, len(s.in))
	defer destroy(in)
	for i, name := range s.in {
		t := inputs[name]
		if t == nil {
			return nil, fmt.Errorf("no input %q", name)
		}
		v, err := toORT(t)
		if err != nil {
			return nil, fmt.Errorf("input %q: %w", name, err)
		}
		in[i] = v
	}
	out := make([]ortgo.Value, len(s.out))
	defer destroy(out)
	if err := s.s.Run(in, out); err != nil {
		return nil, err
	}
	res := map[string]*tensor.Tensor{}
	for i, name := range s.out {
		t, err := fromORT(out[i])
		if err != nil {
			return nil, fmt.Errorf("output %q: %w", name, err)
		}
		res[name] = t
	}
	return res, nil
}

func destroy(vs []ortgo.Value) {
	for _, v := range vs {
		// After an error the driver leaves nil pointers of its types.
		if v != nil && !reflect.ValueOf(v).IsNil() {
			_ = v.Destroy()
		}
	}
}

func toORT(t *tensor.Tensor) (ortgo.Value, error) {
	shape := make([]int64, len(t.Shape))
	for i, d := range t.Shape {
		shape[i] = int64(d)
	}
	// The numbers of ONNX Runtime's element types are those of ONNX.
	return ortgo.NewCustomDataTensor(shape, t.Bytes(), ortgo.TensorElementDataType(t.Type))
}

func fromORT(v ortgo.Value) (*tensor.Tensor, error) {
	var shape []int
	for _, d := range v.GetShape() {
		shape = append(shape, int(d))
	}
	switch v := v.(type) {
	case *ortgo.Tensor[float32]:
		return copied(shape, v.GetData()), nil
	case *ortgo.Tensor[float64]:
		return copied(shape, v.GetData()), nil
	case *ortgo.Tensor[int8]:
		return copied(shape, v.GetData()), nil
	case *ortgo.Tensor[int16]:
		return copied(shape, v.GetData()), nil
	case *ortgo.Tensor[int32]:
		return copied(shape, v.GetData()), nil
	case *ortgo.Tensor[int64]:
		return copied(shape, v.GetData()), nil
	case *ortgo.Tensor[uint8]:
		return copied(shape, v.GetData()), nil
	case *ortgo.Tensor[uint16]:
		return copied(shape, v.GetData()), nil
	case *ortgo.Tensor[uint32]:
		return copied(shape, v.GetData()), nil
	case *ortgo.Tensor[uint64]:
		return copied(shape, v.GetData()), nil
	case *ortgo.CustomDataTensor:
		return tensor.FromBytes(tensor.DType(v.DataType()), shape, append([]byte{}, v.GetData()...))
	}
	return nil, fmt.Errorf("a %T cannot be read", v)
}

// copied copies data that ONNX Runtime frees with its value.
func copied[T tensor.Elem](shape []int, data []T) *tensor.Tensor {
	return tensor.Of(shape, append([]T{}, data...))
}
