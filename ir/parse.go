package ir

import (
	"encoding/base64"
	"fmt"
	"io"
	"math"
	"strconv"
)

// maxNesting bounds how deep graphs, types and lists may be nested in a text.
const maxNesting = 100

// Parse reads the text form that Print writes. Errors carry line and column. The
// graphs of the result pass Check. Texts printed with hashes instead of data
// are refused.
func Parse(r io.Reader) (*Model, error) {
	src, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return parse(string(src))
}

func parse(src string) (m *Model, err error) {
	p := &parser{lexer: lexer{src: src}, fill: maxFill}
	defer func() {
		switch e := recover().(type) {
		case nil:
		case syntaxError:
			m, err = nil, e.error
		default:
			panic(e)
		}
	}()
	p.advance()
	m = p.model()
	if err := m.finish(); err != nil {
		return nil, err
	}
	return m, nil
}

// finish binds and checks the graphs of a parsed model.
func (m *Model) finish() error {
	m.Graph.Bind()
	if err := Check(m.Graph); err != nil {
		return err
	}
	for _, f := range m.Functions {
		f.Body.Bind()
		if err := Check(f.Body); err != nil {
			return fmt.Errorf("function %q: %w", f.Name, err)
		}
	}
	return nil
}

type parser struct {
	lexer
	tok   token // the token ahead
	names *parseScope
	depth int
	fill  int // elements that may still be abbreviated
}

// parseScope are the values that a graph has defined so far.
type parseScope struct {
	outer *parseScope
	names map[string]*Value
}

func (p *parser) advance() token {
	t := p.tok
	p.tok = p.next()
	return t
}

func (p *parser) failf(format string, args ...any) { p.fail(p.tok.at, format, args...) }

// accept takes the token ahead if it is the given mark or bare word.
func (p *parser) accept(text string) bool {
	if !p.tok.is(text) {
		return false
	}
	p.advance()
	return true
}

func (p *parser) expect(text string) {
	if !p.accept(text) {
		p.failf("%q expected, found %v", text, p.tok)
	}
}

// name takes a word or quoted string.
func (p *parser) name(what string) string {
	if p.tok.kind != tokWord && p.tok.kind != tokString {
		p.failf("%s expected, found %v", what, p.tok)
	}
	return p.advance().text
}

func (p *parser) str() string {
	if p.tok.kind != tokString {
		p.failf("a quoted string expected, found %v", p.tok)
	}
	return p.advance().text
}

func (p *parser) integer() int64 {
	x, err := strconv.ParseInt(p.tok.text, 10, 64)
	if err != nil || p.tok.kind != tokWord {
		p.failf("an integer expected, found %v", p.tok)
	}
	p.advance()
	return x
}

// size takes a dimension or count, which must fit an int.
func (p *parser) size() int {
	x := p.integer()
	if x < math.MinInt32 || x > 1<<40 {
		p.failf("%d is out of range", x)
	}
	return int(x)
}

func (p *parser) bytes() []byte {
	if !p.accept("b64") {
		p.failf("data in base 64 expected, found %v", p.tok)
	}
	at := p.tok.at
	out, err := base64.StdEncoding.DecodeString(p.str())
	if err != nil {
		p.fail(at, "the data are not in base 64")
	}
	return out
}

// list takes elements separated by commas up to the closing mark.
func (p *parser) list(closing string, elem func()) {
	for i := 0; !p.accept(closing); i++ {
		if i > 0 {
			p.expect(",")
			if p.accept(closing) {
				return
			}
		}
		elem()
	}
}

// nest runs f one level deeper.
func (p *parser) nest(f func()) {
	if p.depth++; p.depth > maxNesting {
		p.failf("nested more than %d deep", maxNesting)
	}
	f()
	p.depth--
}

func (p *parser) model() *Model {
	m := &Model{}
	for p.tok.kind != tokEnd {
		switch {
		case p.accept("ir_version"):
			m.IRVersion = p.integer()
		case p.accept("opset"):
			m.Opsets = append(m.Opsets, p.opset())
		case p.accept("producer"):
			m.Producer, m.ProducerVersion = p.str(), p.str()
		case p.accept("domain"):
			m.Domain = p.str()
		case p.accept("model_version"):
			m.Version = p.integer()
		case p.notes(&m.Doc, &m.Metadata, &m.Extra):
		case p.accept("function"):
			m.Functions = append(m.Functions, p.function())
		case p.tok.is("graph"):
			if m.Graph != nil {
				p.failf("a second graph")
			}
			m.Graph = p.graph()
		default:
			p.failf("a setting, function or graph expected, found %v", p.tok)
		}
	}
	if m.Graph == nil {
		p.failf("there is no graph")
	}
	return m
}

// opset takes a version, or a domain and a version.
func (p *parser) opset() Opset {
	first := p.tok
	name := p.name("a domain or version")
	if p.tok.kind == tokWord {
		if _, err := strconv.Atoi(p.tok.text); err == nil {
			return Opset{name, p.size()}
		}
	}
	version, err := strconv.Atoi(name)
	if err != nil || first.kind != tokWord {
		p.failf("the version of operator set %q expected, found %v", name, p.tok)
	}
	return Opset{"", version}
}

// notes takes one of the settings that models, functions and graphs share.
func (p *parser) notes(doc *string, meta *[]KV, extra *[]byte) bool {
	switch {
	case p.accept("doc"):
		*doc = p.str()
	case p.accept("meta"):
		key := p.str()
		*meta = append(*meta, KV{key, p.str()})
	case p.accept("extra"):
		*extra = p.bytes()
	default:
		return false
	}
	return true
}

func (p *parser) function() *Function {
	f := &Function{}
	f.Domain, f.Name, f.Overload = p.op()
	p.expect("{")
	for !p.accept("}") {
		switch {
		case p.accept("opset"):
			f.Opsets = append(f.Opsets, p.opset())
		case p.accept("attr"):
			name := p.name("an attribute name")
			if p.accept("=") {
				f.Defaults = append(f.Defaults, p.attrValue(name))
			} else {
				f.Attrs = append(f.Attrs, name)
			}
		case p.notes(&f.Doc, &f.Metadata, &f.Extra):
		case p.tok.is("graph"):
			if f.Body != nil {
				p.failf("a second graph")
			}
			f.Body = p.graph()
		default:
			p.failf("a setting or graph expected, found %v", p.tok)
		}
	}
	if f.Body == nil {
		p.failf("function %q has no graph", f.Name)
	}
	return f
}

// op takes [domain "::"] name [":" overload].
func (p *parser) op() (domain, op, overload string) {
	op = p.name("an operator")
	if p.accept("::") {
		domain, op = op, p.name("an operator")
	}
	if p.accept(":") {
		overload = p.name("an overload")
	}
	return domain, op, overload
}

func (p *parser) graph() *Graph {
	g := &Graph{}
	p.expect("graph")
	if !p.tok.is("(") {
		g.Name = p.name("the name of the graph")
	}
	p.names = &parseScope{outer: p.names, names: map[string]*Value{}}
	p.expect("(")
	p.nest(func() {
		p.list(")", func() {
			v, _ := p.define()
			g.Inputs = append(g.Inputs, v)
		})
	})
	p.expect("->")
	p.expect("(")
	var outputs []token
	p.list(")", func() {
		outputs = append(outputs, p.tok)
		p.name("a value")
	})
	p.expect("{")
	p.nest(func() {
		for !p.accept("}") {
			p.statement(g)
		}
	})
	for _, t := range outputs {
		g.Outputs = append(g.Outputs, p.lookup(t))
	}
	p.names = p.names.outer
	return g
}

func (p *parser) statement(g *Graph) {
	switch {
	case p.notes(&g.Doc, &g.Metadata, &g.Extra):
	case p.accept("const"):
		v, typed := p.define()
		p.constant(v)
		if !typed {
			v.Type = TypeOf(v.Const)
		}
		g.Consts = append(g.Consts, v)
	case p.accept("default"):
		t := p.tok
		p.name("an input")
		v := p.names.names[t.text]
		if v == nil || v.Const != nil {
			p.fail(t.at, "%q is not an input without a default", t.text)
		}
		p.constant(v)
		g.Consts = append(g.Consts, v)
	default:
		g.Nodes = append(g.Nodes, p.node())
	}
}

// define takes the name of a new value with type and properties.
func (p *parser) define() (v *Value, typed bool) {
	t := p.tok
	v = &Value{Name: p.name("a value")}
	if v.Name == "" {
		p.fail(t.at, "the value has no name")
	}
	if p.names.names[v.Name] != nil {
		p.fail(t.at, "value %q is produced twice", v.Name)
	}
	if p.accept("!") {
		v.Declared = true
	}
	if p.tok.is("?") || p.tok.kind == tokWord {
		v.Type, typed = p.typ(), true
	}
	for p.accept("#") {
		switch {
		case p.accept("stats"):
			v.Stats = p.stats()
		default:
			var none []KV
			p.remark(&v.Doc, &none, &v.Extra)
		}
	}
	p.names.names[v.Name] = v
	return v, typed
}

// lookup finds what a name stands for at this point of the text.
func (p *parser) lookup(t token) *Value {
	for s := p.names; s != nil; s = s.outer {
		if v := s.names[t.text]; v != nil {
			return v
		}
	}
	p.fail(t.at, "value %q is not produced before it is read", t.text)
	return nil
}

// constant takes the data of v.
func (p *parser) constant(v *Value) {
	p.expect("=")
	at := p.tok.at
	if p.tok.is("sparse") {
		v.Sparse = p.sparse()
		dense, err := v.Sparse.Dense()
		if err != nil {
			p.fail(at, "%w", err)
		}
		v.Const = dense
	} else {
		v.Const = p.tensor()
	}
}

func (p *parser) node() *Node {
	n := &Node{}
	for i := 0; !p.accept("="); i++ {
		if i > 0 {
			p.expect(",")
		}
		if p.accept("_") {
			n.Out = append(n.Out, nil)
		} else {
			v, _ := p.define()
			n.Out = append(n.Out, v)
		}
	}
	// The results must not be visible inside the node.
	hidden := map[string]*Value{}
	for _, v := range n.Out {
		if v != nil {
			hidden[v.Name] = v
			delete(p.names.names, v.Name)
		}
	}
	n.Domain, n.Op, n.Overload = p.op()
	p.expect("(")
	p.list(")", func() {
		if p.accept("_") {
			n.In = append(n.In, nil)
			return
		}
		t := p.tok
		p.name("a value")
		n.In = append(n.In, p.lookup(t))
	})
	if p.accept("{") {
		p.nest(func() { p.list("}", func() { n.Attrs = append(n.Attrs, p.attr()) }) })
	}
	if p.accept("@") {
		n.Name = p.name("the name of the node")
	}
	for p.accept("#") {
		p.remark(&n.Doc, &n.Metadata, &n.Extra)
	}
	for name, v := range hidden {
		p.names.names[name] = v
	}
	return n
}

// remark takes one of the rarer properties, after "#".
func (p *parser) remark(doc *string, meta *[]KV, extra *[]byte) {
	t := p.tok
	switch key := p.name("a property"); key {
	case "doc":
		p.expect("(")
		*doc = p.str()
	case "meta":
		p.expect("(")
		k := p.str()
		p.expect(",")
		*meta = append(*meta, KV{k, p.str()})
	case "extra":
		p.expect("(")
		*extra = p.bytes()
	default:
		p.fail(t.at, "unknown property %q", shorten(key))
	}
	p.expect(")")
}

func (p *parser) stats() *Stats {
	s := &Stats{}
	p.expect("(")
	s.Axis = p.size()
	p.expect(",")
	s.Source = p.str()
	for !p.accept(")") {
		p.expect(",")
		t := p.tok
		key := p.name("a part of the statistics")
		var list *[]float64
		for _, part := range statsParts(s) {
			if part.name == key {
				list = part.list
			}
		}
		if list == nil {
			p.fail(t.at, "unknown part %q of statistics", shorten(key))
		}
		p.expect("=")
		p.expect("[")
		*list = []float64{}
		p.list("]", func() {
			x, err := parseFloat(p.tok.text, 64)
			if err != nil || p.tok.kind != tokWord {
				p.failf("a number expected, found %v", p.tok)
			}
			p.advance()
			*list = append(*list, x)
		})
	}
	return s
}
