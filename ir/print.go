package ir

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// PrintOptions are the settings of PrintWith.
type PrintOptions struct {
	// Hash writes a hash instead of the data of every constant that is not
	// listed element by element. The result shows differences but cannot be parsed.
	Hash bool
	// Inline is the number of elements up to which a tensor is listed element
	// by element; 0 means 16.
	Inline int
	// NoTypes leaves out the types of computed values.
	NoTypes bool
}

// Print writes the text form of m, which Parse reads back to an equal model:
// structure, types, data, statistics, metadata and what the file format added.
// A model that the text cannot identify (two values of one name in one scope)
// is written as well as possible, and an error returned.
//
//	opset 17
//	graph tiny(x f32[N,3,8,8]) -> (y) {
//	  const w = f32[4,3,1,1]{0.5, ...}
//	  a f32[N,4,8,8] = Conv(x, w, _) {pads=[0, 0, 0, 0]} @conv1
//	  y f32[N,4,8,8] = Relu(a)
//	}
//
// A value is followed by its type, with "!" before it where the model states
// the type of a computed value itself. "_" is an operand or result left out,
// "@" precedes the name of a node, "#" the rarer properties. Names that are not
// plain words are quoted. "//" begins a comment.
func Print(w io.Writer, m *Model) error { return PrintWith(w, m, PrintOptions{}) }

// PrintWith is Print with options.
func PrintWith(w io.Writer, m *Model, o PrintOptions) error {
	if o.Inline == 0 {
		o.Inline = 16
	}
	p := &printer{w: bufio.NewWriter(w), o: o, fill: maxFill}
	p.model(m)
	if err := p.w.Flush(); err != nil {
		return err
	}
	return p.err
}

// String is the text form of m with hashes for data, for messages and diffs.
func (m *Model) String() string {
	var s strings.Builder
	PrintWith(&s, m, PrintOptions{Hash: true})
	return s.String()
}

type printer struct {
	w     *bufio.Writer
	o     PrintOptions
	depth int
	scope *printScope
	fill  int // elements that may still be abbreviated as equal
	err   error
}

// printScope holds what the names of a graph stand for at some point of the text.
type printScope struct {
	outer *printScope
	names map[string]*Value
}

func (p *printer) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

func (p *printer) printf(format string, args ...any) { fmt.Fprintf(p.w, format, args...) }

// line begins a line.
func (p *printer) line() { p.w.WriteString(strings.Repeat("  ", p.depth)) }

// setting writes a line of a keyword and quoted strings.
func (p *printer) setting(key string, list ...string) {
	p.line()
	p.w.WriteString(key)
	for _, s := range list {
		p.w.WriteString(" " + strconv.Quote(s))
	}
	p.w.WriteString("\n")
}

func (p *printer) model(m *Model) {
	if m.IRVersion != 0 {
		p.printf("ir_version %d\n", m.IRVersion)
	}
	p.opsets(m.Opsets)
	if m.Producer != "" || m.ProducerVersion != "" {
		p.setting("producer", m.Producer, m.ProducerVersion)
	}
	if m.Domain != "" {
		p.setting("domain", m.Domain)
	}
	if m.Version != 0 {
		p.printf("model_version %d\n", m.Version)
	}
	p.notes(m.Doc, m.Metadata, m.Extra)
	for _, f := range m.Functions {
		p.function(f)
	}
	if m.Graph != nil {
		p.graph(m.Graph)
		p.w.WriteString("\n")
	}
}

func (p *printer) opsets(list []Opset) {
	for _, o := range list {
		p.line()
		if o.Domain == "" {
			p.printf("opset %d\n", o.Version)
		} else {
			p.printf("opset %s %d\n", word(o.Domain), o.Version)
		}
	}
}

// notes writes the settings that models, functions and graphs share.
func (p *printer) notes(doc string, meta []KV, extra []byte) {
	if doc != "" {
		p.setting("doc", doc)
	}
	for _, kv := range meta {
		p.setting("meta", kv.Key, kv.Value)
	}
	if len(extra) > 0 {
		p.line()
		p.printf("extra %s\n", base64Text(extra))
	}
}

func (p *printer) function(f *Function) {
	p.printf("function %s {\n", opText(f.Domain, f.Name, f.Overload))
	p.depth++
	p.opsets(f.Opsets)
	for _, name := range f.Attrs {
		p.line()
		p.printf("attr %s\n", word(name))
	}
	for _, a := range f.Defaults {
		p.line()
		p.printf("attr ")
		p.attr(a)
		p.printf("\n")
	}
	p.notes(f.Doc, f.Metadata, f.Extra)
	if f.Body != nil {
		p.line()
		p.graph(f.Body)
		p.printf("\n")
	}
	p.depth--
	p.printf("}\n")
}

// graph writes a graph without a line end.
func (p *printer) graph(g *Graph) {
	p.scope = &printScope{outer: p.scope, names: map[string]*Value{}}
	p.printf("graph ")
	if g.Name != "" {
		p.printf("%s", word(g.Name))
	}
	p.printf("(")
	for i, v := range g.Inputs {
		p.comma(i)
		p.define(v, v.Declared || v.Type.Kind != KindUnknown)
		p.enter(v)
	}
	p.printf(") -> (")
	for i, v := range g.Outputs {
		p.comma(i)
		p.printf("%s", operandName(v))
	}
	p.printf(") {\n")
	p.depth++
	p.notes(g.Doc, g.Metadata, g.Extra)
	for _, v := range g.Consts {
		p.constant(v)
	}
	for _, n := range g.Nodes {
		p.node(n)
	}
	for _, v := range g.Outputs {
		p.refer(v)
	}
	p.depth--
	p.line()
	p.printf("}")
	p.scope = p.scope.outer
}

func (p *printer) comma(i int) {
	if i > 0 {
		p.printf(", ")
	}
}

// enter makes the name of v stand for v from here on.
func (p *printer) enter(v *Value) {
	if old := p.scope.names[v.Name]; old != nil && old != v {
		p.fail("two values are called %q", v.Name)
	}
	if v.Name == "" {
		p.fail("a value has no name")
	}
	p.scope.names[v.Name] = v
}

// define writes the place where a value comes to be.
func (p *printer) define(v *Value, typed bool) {
	p.printf("%s", word(v.Name))
	if typed {
		p.printf(" ")
		if v.Declared {
			p.printf("!")
		}
		p.printf("%v", v.Type)
	}
	if v.Stats != nil {
		p.stats(v.Stats)
	}
	p.remarks(v.Doc, nil, v.Extra)
}

// refer checks that the name of v stands for v here.
func (p *printer) refer(v *Value) {
	if v == nil {
		return
	}
	for s := p.scope; s != nil; s = s.outer {
		if w := s.names[v.Name]; w != nil {
			if w != v {
				p.fail("value %q is hidden by another of that name where it is read", v.Name)
			}
			return
		}
	}
	p.fail("value %q is read before it is produced", v.Name)
}

func (p *printer) constant(v *Value) {
	p.line()
	key := "const"
	if p.scope.names[v.Name] == v {
		key = "default" // an input that has a value of its own
	}
	p.printf("%s ", key)
	if key == "default" {
		p.printf("%s", word(v.Name))
	} else {
		p.define(v, v.Const == nil || v.Declared || !v.Type.Equal(TypeOf(v.Const)))
		p.enter(v)
	}
	if v.Const == nil && v.Sparse == nil {
		p.fail("constant %q has no data", v.Name)
	}
	p.printf(" = ")
	if v.Sparse != nil {
		p.sparse(v.Sparse)
	} else if v.Const != nil {
		p.tensor(v.Const)
	}
	p.printf("\n")
}

func (p *printer) node(n *Node) {
	p.line()
	for i, v := range n.Out {
		p.comma(i)
		if v == nil {
			p.printf("_")
			continue
		}
		p.define(v, v.Declared || !p.o.NoTypes && v.Type.Kind != KindUnknown)
	}
	if len(n.Out) > 0 {
		p.printf(" ")
	}
	p.printf("= %s(", opText(n.Domain, n.Op, n.Overload))
	for i, v := range n.In {
		p.comma(i)
		p.refer(v)
		p.printf("%s", operandName(v))
	}
	p.printf(")")
	if len(n.Attrs) > 0 {
		p.printf(" {")
		for i, a := range n.Attrs {
			p.comma(i)
			p.attr(a)
		}
		p.printf("}")
	}
	if n.Name != "" {
		p.printf(" @%s", word(n.Name))
	}
	p.remarks(n.Doc, n.Metadata, n.Extra)
	p.printf("\n")
	for _, v := range n.Out {
		if v != nil {
			p.enter(v)
		}
	}
}

// remarks writes the rarer properties of values, nodes and attributes.
func (p *printer) remarks(doc string, meta []KV, extra []byte) {
	if doc != "" {
		p.printf(" #doc(%q)", doc)
	}
	for _, kv := range meta {
		p.printf(" #meta(%q, %q)", kv.Key, kv.Value)
	}
	if len(extra) > 0 {
		p.printf(" #extra(%s)", base64Text(extra))
	}
}

func (p *printer) stats(s *Stats) {
	p.printf(" #stats(%d, %q", s.Axis, s.Source)
	for _, part := range statsParts(s) {
		if *part.list == nil {
			continue
		}
		p.printf(", %s=[", part.name)
		for i, x := range *part.list {
			p.comma(i)
			p.printf("%s", floatText(x, 64))
		}
		p.printf("]")
	}
	p.printf(")")
}

type statsPart struct {
	name string
	list *[]float64
}

func statsParts(s *Stats) []statsPart {
	return []statsPart{{"mean", &s.Mean}, {"std", &s.Std}, {"lo", &s.Lo}, {"hi", &s.Hi}}
}

func operandName(v *Value) string {
	if v == nil {
		return "_"
	}
	return word(v.Name)
}

// opText is "Conv", "pare::Function" or "pare::Function:overload".
func opText(domain, op, overload string) string {
	s := word(op)
	if domain != "" {
		s = word(domain) + "::" + s
	}
	if overload != "" {
		s += ":" + word(overload)
	}
	return s
}

// keywords are the words that mean something where a name could stand.
var keywords = map[string]bool{"_": true, "const": true, "default": true, "doc": true, "meta": true, "extra": true}

// word is a name as it stands in the text, quoted unless it is a plain word.
func word(s string) string {
	if s == "" || keywords[s] || strings.Contains(s, "//") {
		return strconv.Quote(s)
	}
	for i := range len(s) {
		if !isWordByte(s[i]) {
			return strconv.Quote(s)
		}
	}
	return s
}

func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("_./$+-", c) >= 0
}

func base64Text(b []byte) string { return `b64"` + base64.StdEncoding.EncodeToString(b) + `"` }
