package ir

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pare/tensor"
)

// Dim is one dimension: a known size, a named symbol, or unknown.
type Dim struct {
	N   int    // size; -1 when symbolic or unknown
	Sym string // name of a symbolic dimension; "" otherwise
}

// Known returns the dimension of size n.
func Known(n int) Dim { return Dim{N: n} }

// Symbol returns the symbolic dimension called name.
func Symbol(name string) Dim { return Dim{N: -1, Sym: name} }

// Unknown is the dimension about which nothing is known.
var Unknown = Dim{N: -1}

// IsKnown reports whether the size is a number.
func (d Dim) IsKnown() bool { return d.N >= 0 }

// Same reports whether a and b are certainly equal: the same number or symbol.
func (d Dim) Same(e Dim) bool { return d == e && d != Unknown }

// String prints the number, the symbol, or "?".
func (d Dim) String() string {
	switch {
	case d.N >= 0:
		return strconv.Itoa(d.N)
	case d.Sym != "":
		return d.Sym
	}
	return "?"
}

// text is String with symbols quoted where the text form needs it.
func (d Dim) text() string {
	if d.N >= 0 || d.Sym == "" {
		return d.String()
	}
	if isNumber(d.Sym) {
		return strconv.Quote(d.Sym)
	}
	return word(d.Sym)
}

// Kind says what sort of thing a value holds.
type Kind uint8

// The kinds of values. KindUnknown is the zero value.
const (
	KindUnknown Kind = iota
	KindTensor
	KindSparse
	KindSequence // of Elem
	KindOptional // of Elem
	KindMap      // from Key to Elem
)

// Type is what is known of a value before it is computed.
type Type struct {
	Kind   Kind
	DType  tensor.DType // element type of tensors; Undefined when unknown
	Ranked bool         // whether Shape is meaningful
	Shape  []Dim
	Elem   *Type        // element of a sequence, optional or map
	Key    tensor.DType // key of a map
}

// TensorType is the type of a tensor of known rank.
func TensorType(t tensor.DType, shape ...Dim) Type {
	return Type{Kind: KindTensor, DType: t, Ranked: true, Shape: shape}
}

// UnrankedType is the type of a tensor of which only the element type is known.
func UnrankedType(t tensor.DType) Type { return Type{Kind: KindTensor, DType: t} }

// TypeOf is the type of a constant.
func TypeOf(t *tensor.Tensor) Type { return TensorType(t.Type, Dims(t.Shape)...) }

// Dims converts a concrete shape.
func Dims(shape []int) []Dim {
	out := make([]Dim, len(shape))
	for i, n := range shape {
		out[i] = Known(n)
	}
	return out
}

// Sizes returns the shape as numbers, and whether all of them are known.
func (t Type) Sizes() ([]int, bool) {
	if t.Kind != KindTensor || !t.Ranked {
		return nil, false
	}
	out := make([]int, len(t.Shape))
	for i, d := range t.Shape {
		if !d.IsKnown() {
			return nil, false
		}
		out[i] = d.N
	}
	return out, true
}

// Rank is the number of dimensions, -1 when unknown.
func (t Type) Rank() int {
	if !t.Ranked {
		return -1
	}
	return len(t.Shape)
}

// Equal reports whether two types say exactly the same.
func (t Type) Equal(u Type) bool {
	if t.Kind != u.Kind || t.DType != u.DType || t.Ranked != u.Ranked || t.Key != u.Key || !slices.Equal(t.Shape, u.Shape) {
		return false
	}
	if t.Elem == nil || u.Elem == nil {
		return t.Elem == u.Elem
	}
	return t.Elem.Equal(*u.Elem)
}

// String prints the type as the text form does: "f32[N,3,32,32]", "f32[*]"
// without rank, "?" when nothing is known, "seq(f32[?])".
func (t Type) String() string {
	elem := ""
	if t.Elem != nil {
		elem = t.Elem.String()
	}
	switch t.Kind {
	case KindTensor, KindSparse:
		s := t.DType.String()
		if t.Kind == KindSparse {
			s = "sparse " + s
		}
		if !t.Ranked {
			return s + "[*]"
		}
		dims := make([]string, len(t.Shape))
		for i, d := range t.Shape {
			dims[i] = d.text()
		}
		return s + "[" + strings.Join(dims, ",") + "]"
	case KindSequence:
		return "seq(" + elem + ")"
	case KindOptional:
		return "optional(" + elem + ")"
	case KindMap:
		return fmt.Sprintf("map(%v,%s)", t.Key, elem)
	}
	return "?"
}

// Merge combines two descriptions of the same value, keeping what either
// knows; a number beats a symbol. It reports a contradiction.
func Merge(a, b Type) (Type, error) {
	switch {
	case a.Kind == KindUnknown:
		return b, nil
	case b.Kind == KindUnknown:
		return a, nil
	case a.Kind != b.Kind:
		return a, fmt.Errorf("type %v contradicts %v", b, a)
	}
	out := a
	if a.Elem != nil && b.Elem != nil {
		e, err := Merge(*a.Elem, *b.Elem)
		if err != nil {
			return a, err
		}
		out.Elem = &e
	} else if a.Elem == nil {
		out.Elem = b.Elem
	}
	if a.DType == tensor.Undefined {
		out.DType = b.DType
	} else if b.DType != tensor.Undefined && a.DType != b.DType {
		return a, fmt.Errorf("element type %v contradicts %v", b.DType, a.DType)
	}
	if !a.Ranked {
		out.Ranked, out.Shape = b.Ranked, b.Shape
		return out, nil
	}
	if !b.Ranked {
		return out, nil
	}
	if len(a.Shape) != len(b.Shape) {
		return a, fmt.Errorf("shape %v contradicts %v", b, a)
	}
	out.Shape = slices.Clone(a.Shape)
	for i, d := range b.Shape {
		switch e := a.Shape[i]; {
		case e.IsKnown() && d.IsKnown() && e != d:
			return a, fmt.Errorf("shape %v contradicts %v", b, a)
		case !e.IsKnown() && d.IsKnown(), e == Unknown:
			out.Shape[i] = d
		}
	}
	return out, nil
}
