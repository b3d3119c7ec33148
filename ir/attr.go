package ir

import (
	"slices"

	"pare/tensor"
)

// Attr returns the value of an attribute, nil when absent.
func (n *Node) Attr(name string) any {
	for _, a := range n.Attrs {
		if a.Name == name {
			return a.Value
		}
	}
	return nil
}

// Has reports whether the attribute is present.
func (n *Node) Has(name string) bool { return n.Attr(name) != nil }

// attrOr returns the attribute when it has type T, else the default.
func attrOr[T any](n *Node, name string, def T) T {
	if x, ok := n.Attr(name).(T); ok {
		return x
	}
	return def
}

// Int returns an integer attribute, def when absent.
func (n *Node) Int(name string, def int) int { return int(attrOr(n, name, int64(def))) }

// Float returns a float attribute, def when absent.
func (n *Node) Float(name string, def float32) float32 { return attrOr(n, name, def) }

// Str returns a string attribute, def when absent.
func (n *Node) Str(name, def string) string { return attrOr(n, name, def) }

// Ints returns an integer-list attribute as ints, nil when absent.
func (n *Node) Ints(name string) []int {
	list := attrOr[[]int64](n, name, nil)
	if list == nil {
		return nil
	}
	out := make([]int, len(list))
	for i, x := range list {
		out[i] = int(x)
	}
	return out
}

// Floats returns a float-list attribute, nil when absent.
func (n *Node) Floats(name string) []float32 { return attrOr[[]float32](n, name, nil) }

// Strs returns a string-list attribute, nil when absent.
func (n *Node) Strs(name string) []string { return attrOr[[]string](n, name, nil) }

// Tensor returns a tensor attribute, nil when absent.
func (n *Node) Tensor(name string) *tensor.Tensor { return attrOr[*tensor.Tensor](n, name, nil) }

// Graph returns a graph attribute, nil when absent.
func (n *Node) Graph(name string) *Graph { return attrOr[*Graph](n, name, nil) }

// WithAttr returns attrs with one attribute set; attrs itself is not changed.
func WithAttr(attrs []Attr, name string, value any) []Attr {
	out := slices.Clone(attrs)
	for i := range out {
		if out[i].Name == name {
			out[i] = Attr{Name: name, Value: value}
			return out
		}
	}
	return append(out, Attr{Name: name, Value: value})
}

// WithoutAttr returns attrs without one attribute; attrs itself is not changed.
func WithoutAttr(attrs []Attr, name string) []Attr {
	return slices.DeleteFunc(slices.Clone(attrs), func(a Attr) bool { return a.Name == name })
}

// IntsAttr makes an integer-list attribute from ints.
func IntsAttr(name string, list ...int) Attr {
	v := make([]int64, len(list))
	for i, x := range list {
		v[i] = int64(x)
	}
	return Attr{Name: name, Value: v}
}
