package ir

import (
	"math"
	"strconv"
	"strings"

	"pare/tensor"
)

func (p *parser) attr() Attr {
	name := p.name("an attribute name")
	p.expect("=")
	return p.attrValue(name)
}

// attrValue takes the value and properties of an attribute.
func (p *parser) attrValue(name string) Attr {
	a := Attr{Name: name}
	switch {
	case p.accept("["):
		a.Value = p.attrList()
	case p.accept("none"):
	case p.accept("ref"):
		p.expect("(")
		ref := Ref{Name: p.name("an attribute name")}
		p.expect(",")
		ref.Kind = p.size()
		p.expect(")")
		a.Value = ref
	case p.tok.kind == tokWord && emptyList(p.tok.text) != nil:
		a.Value = emptyList(p.advance().text)
		p.expect("[")
		p.expect("]")
	default:
		a.Value = p.attrElem()
	}
	for p.accept("#") {
		var none []KV
		p.remark(&a.Doc, &none, &a.Extra)
	}
	return a
}

// emptyList is the list that "ints[]" and so on stand for.
func emptyList(kind string) any {
	switch kind {
	case "ints":
		return []int64{}
	case "floats":
		return []float32{}
	case "strings":
		return []string{}
	case "tensors":
		return []*tensor.Tensor{}
	case "sparses":
		return []*tensor.Sparse{}
	case "graphs":
		return []*Graph{}
	case "types":
		return []Type{}
	}
	return nil
}

// attrList takes a list, whose first element says of what.
func (p *parser) attrList() any {
	if p.tok.is("]") {
		p.failf(`an empty list is written with its kind, such as "ints[]"`)
	}
	first := p.attrElem()
	switch x := first.(type) {
	case int64:
		return restOf(p, x)
	case float32:
		return restOf(p, x)
	case string:
		return restOf(p, x)
	case *tensor.Tensor:
		return restOf(p, x)
	case *tensor.Sparse:
		return restOf(p, x)
	case *Graph:
		return restOf(p, x)
	default:
		return restOf(p, x.(Type))
	}
}

// restOf takes the elements of a list after the first.
func restOf[T any](p *parser, first T) []T {
	list := []T{first}
	for !p.accept("]") {
		p.expect(",")
		at := p.tok.at
		x, ok := p.attrElem().(T)
		if !ok {
			p.fail(at, "the elements of the list are of different kinds")
		}
		list = append(list, x)
	}
	return list
}

// attrElem takes an attribute value other than a list.
func (p *parser) attrElem() any {
	switch {
	case p.tok.kind == tokString:
		return p.advance().text
	case p.tok.is("graph"):
		var g *Graph
		p.nest(func() { g = p.graph() })
		return g
	case p.tok.is("sparse"):
		return p.sparse()
	case p.accept("type"):
		return p.typ()
	case p.tok.kind != tokWord:
		p.failf("an attribute value expected, found %v", p.tok)
	}
	if _, err := tensor.ParseDType(p.tok.text); err == nil {
		return p.tensor()
	}
	return p.number()
}

// number takes an int64, or a float32 where the text is not that of an integer.
func (p *parser) number() any {
	s := p.tok.text
	if bits, ok := strings.CutPrefix(s, "nan-"); ok {
		if x, err := strconv.ParseUint(bits, 16, 32); err == nil && x&0x7f800000 == 0x7f800000 && x&0x007fffff != 0 {
			p.advance()
			return math.Float32frombits(uint32(x))
		}
	}
	if x, err := strconv.ParseInt(s, 10, 64); err == nil {
		p.advance()
		return x
	}
	x, err := parseFloat(s, 32)
	if err != nil {
		p.failf("an attribute value expected, found %v", p.tok)
	}
	p.advance()
	if x != x {
		return math.Float32frombits(quietNaN)
	}
	return float32(x)
}

// dtype takes the name of an element type.
func (p *parser) dtype() tensor.DType {
	if p.accept(tensor.Undefined.String()) {
		return tensor.Undefined
	}
	d, err := tensor.ParseDType(p.tok.text)
	if err != nil || p.tok.kind != tokWord {
		p.failf("a type expected, found %v", p.tok)
	}
	p.advance()
	return d
}

// typ takes a type as Type.String writes it.
func (p *parser) typ() (t Type) {
	switch {
	case p.accept("?"):
		return Type{}
	case p.accept("seq"):
		p.expect("(")
		return Type{Kind: KindSequence, Elem: p.elem()}
	case p.accept("optional"):
		p.expect("(")
		return Type{Kind: KindOptional, Elem: p.elem()}
	case p.accept("map"):
		p.expect("(")
		t = Type{Kind: KindMap, Key: p.dtype()}
		p.expect(",")
		t.Elem = p.elem()
		return t
	}
	t.Kind = KindTensor
	if p.accept("sparse") {
		t.Kind = KindSparse
	}
	t.DType = p.dtype()
	p.expect("[")
	if p.accept("*") {
		p.expect("]")
		return t
	}
	t.Ranked, t.Shape = true, []Dim{}
	p.list("]", func() { t.Shape = append(t.Shape, p.dim()) })
	return t
}

// elem takes the element type up to the closing parenthesis.
func (p *parser) elem() *Type {
	if p.accept(")") {
		return nil
	}
	var t Type
	p.nest(func() { t = p.typ() })
	p.expect(")")
	return &t
}

func (p *parser) dim() Dim {
	if p.accept("?") {
		return Unknown
	}
	if p.tok.kind == tokWord && isNumber(p.tok.text) {
		n := p.size()
		if n < 0 {
			p.failf("a dimension is negative")
		}
		return Known(n)
	}
	at := p.tok.at
	s := p.name("a dimension")
	if s == "" {
		p.fail(at, "the symbolic dimension has no name")
	}
	return Symbol(s)
}

// isNumber reports whether the text form takes s for an integer.
func isNumber(s string) bool {
	_, err := strconv.ParseInt(s, 10, 64)
	return err == nil
}

// shape takes known dimensions up to the closing bracket.
func (p *parser) shape() ([]int, int) {
	shape := []int{}
	at := p.tok.at
	p.list("]", func() { shape = append(shape, p.size()) })
	n, err := tensor.CheckedLen(shape)
	if err != nil {
		p.fail(at, "%w", err)
	}
	return shape, n
}

// spend counts n elements that the text does not spell out.
func (p *parser) spend(at, n int) {
	if n > p.fill {
		p.fail(at, "the abbreviated tensors of the text have more than %d elements together", maxFill)
	}
	p.fill -= n
}

// tensor takes a tensor literal.
func (p *parser) tensor() *tensor.Tensor {
	at := p.tok.at
	d := p.dtype()
	p.expect("[")
	shape, n := p.shape()
	switch {
	case p.accept("{"):
		if p.accept("*") {
			p.spend(at, n)
			return p.repeated(d, shape, n)
		}
		return p.listed(at, d, shape, n)
	case p.tok.is("sha256"):
		p.failf("the text holds only a hash of the data")
	}
	t, err := tensor.FromBytes(d, shape, p.bytes())
	if err != nil {
		p.fail(at, "%w", err)
	}
	return t
}

// element takes one element of a literal as it stands in the text.
func (p *parser) element() string {
	if p.tok.kind == tokString {
		return strconv.Quote(p.advance().text)
	}
	return p.name("an element")
}

func (p *parser) listed(at int, d tensor.DType, shape []int, n int) *tensor.Tensor {
	var words []string
	p.list("}", func() { words = append(words, p.element()) })
	if len(words) != n {
		p.fail(at, "%d elements for shape %v", len(words), shape)
	}
	t, err := makeTensor(d, shape, words)
	if err != nil {
		p.fail(at, "%w", err)
	}
	return t
}

func (p *parser) repeated(d tensor.DType, shape []int, n int) *tensor.Tensor {
	at := p.tok.at
	one, err := makeTensor(d, []int{1}, []string{p.element()})
	if err != nil {
		p.fail(at, "%w", err)
	}
	p.expect("}")
	if d == tensor.String || d.Bits() < 8 {
		p.fail(at, "elements of type %v are not abbreviated", d)
	}
	t := tensor.New(d, shape...)
	raw := t.Bytes()
	for i := 0; i < len(raw); i += len(one.Bytes()) {
		copy(raw[i:], one.Bytes())
	}
	return t
}

// sparse takes a tensor in coordinate form.
func (p *parser) sparse() *tensor.Sparse {
	p.expect("sparse")
	p.expect("[")
	at := p.tok.at
	s := &tensor.Sparse{}
	var n int
	s.Shape, n = p.shape()
	p.spend(at, n)
	p.expect("(")
	s.Values = p.tensor()
	p.expect(",")
	s.Indices = p.tensor()
	p.expect(")")
	return s
}
