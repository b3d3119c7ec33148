package ir

import (
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"pare/tensor"
)

// attr writes name=value.
func (p *printer) attr(a Attr) {
	p.printf("%s=", word(a.Name))
	p.attrValue(a)
	p.remarks(a.Doc, nil, a.Extra)
}

func (p *printer) attrValue(a Attr) {
	switch x := a.Value.(type) {
	case nil:
		p.printf("none")
	case Ref:
		p.printf("ref(%s, %d)", word(x.Name), x.Kind)
	case []int64:
		attrList(p, "ints", x)
	case []float32:
		attrList(p, "floats", x)
	case []string:
		attrList(p, "strings", x)
	case []*tensor.Tensor:
		attrList(p, "tensors", x)
	case []*tensor.Sparse:
		attrList(p, "sparses", x)
	case []*Graph:
		attrList(p, "graphs", x)
	case []Type:
		attrList(p, "types", x)
	default:
		p.attrElem(x)
	}
}

// attrList writes a list; the kind is spelled out where no element tells it.
func attrList[T any](p *printer, kind string, list []T) {
	if len(list) == 0 {
		p.printf("%s", kind)
	}
	p.printf("[")
	for i, x := range list {
		p.comma(i)
		p.attrElem(x)
	}
	p.printf("]")
}

func (p *printer) attrElem(x any) {
	switch x := x.(type) {
	case int64:
		p.printf("%d", x)
	case float32:
		p.printf("%s", floatText(float64(x), 32, math.Float32bits(x)))
	case string:
		p.printf("%q", x)
	case *tensor.Tensor:
		p.tensor(x)
	case *tensor.Sparse:
		p.sparse(x)
	case *Graph:
		p.graph(x)
	case Type:
		p.printf("type %v", x)
	default:
		p.printf("none")
		p.fail("an attribute has a value of type %T", x)
	}
}

// floatText is the shortest text that gives x again, never that of an integer.
// bits tells NaNs of float32 attributes apart.
func floatText(x float64, size int, bits ...uint32) string {
	if x != x && len(bits) > 0 && bits[0] != quietNaN {
		return fmt.Sprintf("nan-%08x", bits[0])
	}
	s := strings.ToLower(strconv.FormatFloat(x, 'g', -1, size))
	if strings.ContainsAny(s, ".en") {
		return strings.TrimPrefix(s, "+")
	}
	return s + ".0"
}

// quietNaN is what "nan" means where it stands for a float32.
const quietNaN = 0x7fc00000

// maxFill is the number of elements that one text may abbreviate as all equal, so
// that a short text cannot ask for all memory.
const maxFill = 1 << 25

// tensor writes a literal: the type, then the elements in braces ("*" before
// the one that all are equal to), or all bytes in base 64.
func (p *printer) tensor(t *tensor.Tensor) {
	if t == nil {
		p.printf("none")
		p.fail("a tensor is missing")
		return
	}
	p.printf("%v", TypeOf(t))
	n := t.Len()
	if n > 1 && n <= p.fill && n > 4 && uniform(t) {
		one := slice(t, 1)
		if text, ok := elements(one); ok {
			p.fill -= n
			p.printf("{*%s}", text)
			return
		}
	}
	if n <= p.o.Inline || t.Type == tensor.String {
		if text, ok := elements(t); ok {
			p.printf("{%s}", text)
			return
		}
	}
	if p.o.Hash {
		p.printf(" sha256:%x", sha256.Sum256(t.Bytes()))
		return
	}
	p.printf(" %s", base64Text(t.Bytes()))
}

func (p *printer) sparse(s *tensor.Sparse) {
	p.printf("sparse[")
	for i, d := range s.Shape {
		p.comma(i)
		p.printf("%d", d)
	}
	p.printf("](")
	if n, err := tensor.CheckedLen(s.Shape); err != nil || n > p.fill {
		p.fail("a sparse tensor of shape %v is too large for the text form", s.Shape)
	} else {
		p.fill -= n
	}
	p.tensor(s.Values)
	p.printf(", ")
	p.tensor(s.Indices)
	p.printf(")")
}

// uniform reports whether all elements of t have the same bits; false for
// types narrower than a byte.
func uniform(t *tensor.Tensor) bool {
	raw, size := t.Bytes(), t.Type.Bits()/8
	if t.Type == tensor.String || size == 0 || len(raw) < size {
		return false
	}
	return slices.Equal(raw[size:], raw[:len(raw)-size])
}

// slice returns the first n elements of t as a vector.
func slice(t *tensor.Tensor, n int) *tensor.Tensor {
	out, err := tensor.FromBytes(t.Type, []int{n}, t.Bytes()[:t.Type.ByteLen(n)])
	if err != nil {
		panic(err) // t is longer
	}
	return out
}

// elements lists the elements of t; ok is false where that would not give the
// same bits again.
func elements(t *tensor.Tensor) (text string, ok bool) {
	words := make([]string, t.Len())
	switch {
	case t.Type == tensor.String:
		for i, s := range t.Strings() {
			words[i] = strconv.Quote(s)
		}
	case t.Type == tensor.Bool:
		for i, x := range t.Bytes() {
			words[i] = strconv.FormatBool(x != 0)
		}
	case t.Type == tensor.Uint64:
		for i, x := range tensor.Data[uint64](t) {
			words[i] = strconv.FormatUint(x, 10)
		}
	case t.Type.IsInt():
		wide, err := tensor.Convert(t, tensor.Int64, tensor.Options{})
		if err != nil {
			return "", false
		}
		for i, x := range tensor.Data[int64](wide) {
			words[i] = strconv.FormatInt(x, 10)
		}
	case t.Type == tensor.Float64:
		for i, x := range tensor.Data[float64](t) {
			words[i] = floatText(x, 64)
		}
	case t.Type.IsFloat():
		for i, x := range tensor.Float32s(t) {
			words[i] = floatText(float64(x), 32)
		}
	default:
		return "", false
	}
	again, err := makeTensor(t.Type, t.Shape, words)
	if err != nil || !tensor.Equal(t, again) {
		return "", false
	}
	return strings.Join(words, ", "), true
}

// makeTensor is the inverse of elements.
func makeTensor(d tensor.DType, shape []int, words []string) (*tensor.Tensor, error) {
	switch {
	case d == tensor.String:
		list := make([]string, len(words))
		for i, w := range words {
			s, err := strconv.Unquote(w)
			if err != nil {
				return nil, fmt.Errorf("%s is not a quoted string", w)
			}
			list[i] = s
		}
		return tensor.OfStrings(shape, list), nil
	case d == tensor.Bool:
		return numbersOf(d, shape, words, strconv.ParseBool)
	case d == tensor.Uint64:
		return numbersOf(d, shape, words, func(s string) (uint64, error) { return strconv.ParseUint(s, 10, 64) })
	case d.IsInt():
		return numbersOf(d, shape, words, func(s string) (int64, error) { return parseInt(s, d) })
	case d == tensor.Float64:
		return numbersOf(d, shape, words, func(s string) (float64, error) { return parseFloat(s, 64) })
	case d.IsFloat():
		return numbersOf(d, shape, words, func(s string) (float32, error) {
			x, err := parseFloat(s, 32)
			return float32(x), err
		})
	}
	return nil, fmt.Errorf("elements of type %v are not written as a list", d)
}

// numbersOf parses elements as Go type T and converts them to d.
func numbersOf[T tensor.Elem](d tensor.DType, shape []int, words []string, parse func(string) (T, error)) (*tensor.Tensor, error) {
	list := make([]T, len(words))
	for i, w := range words {
		x, err := parse(w)
		if err != nil {
			return nil, fmt.Errorf("%q is not an element of type %v", w, d)
		}
		list[i] = x
	}
	return tensor.Convert(tensor.Of(shape, list), d, tensor.Options{})
}

func parseInt(s string, d tensor.DType) (int64, error) {
	if d.IsUnsigned() {
		x, err := strconv.ParseUint(s, 10, d.Bits())
		return int64(x), err
	}
	return strconv.ParseInt(s, 10, d.Bits())
}

// parseFloat reads a decimal number, inf or nan; underscores and hexadecimal
// numbers are not taken.
func parseFloat(s string, size int) (float64, error) {
	if strings.ContainsAny(s, "_xX") {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(s, size)
}
