package ir_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"pare/ir"
	"pare/tensor"
)

// text prints m.
func text(t testing.TB, m *ir.Model) string {
	t.Helper()
	var s strings.Builder
	if err := ir.Print(&s, m); err != nil {
		t.Fatalf("%v\n%s", err, s.String())
	}
	return s.String()
}

// parse reads a model.
func parse(t testing.TB, src string) *ir.Model {
	t.Helper()
	m, err := ir.Parse(strings.NewReader(src))
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	return m
}

// everything is in the form in which Print writes it, and uses all of the syntax.
const everything = `ir_version 8
opset 17
opset ai.onnx.ml 3
opset "com example" 1
producer "pytorch" "2.1"
domain "org.example"
model_version -4
doc "two\nlines, \"quoted\", \xff"
meta "key" "value"
meta "" ""
extra b64"AAEC"
function pare::Power:v2 {
  opset 17
  attr axis
  attr exponent=0.5
  attr names=strings[] #doc("none by default")
  doc "a function"
  meta "a" "b"
  extra b64"Aw=="
  graph body(x, s) -> (y) {
    a = Cast(x) {to=ref(axis, 2)}
    y = Mul(a, s)
  }
}
graph "main graph"(x f32[N,3,"12",?] #doc("pixels"), n, w f32[2], seq seq(f32[*]), o optional(i64[]), d map(string,f64[1]), s seq(), sp sparse f32[2,2], u !undefined[*]) -> (y, "onnx::Conv_1", x) {
  doc "of the graph"
  meta "k" "v"
  extra b64"BA=="
  default w = f32[2]{1.5, -0.0}
  const i = i64[3]{-1, 0, 9223372036854775807}
  const big = u64[1]{18446744073709551615}
  const half = f16[2,2]{0.33325195, inf, -inf, nan}
  const zeros = f32[16,3,3,3]{*0.0}
  const four = i4[3]{-8, 0, 7}
  const two = u2[5]{0, 1, 2, 3, 0}
  const eight = f8e4m3fn[2]{448.0, -0.5}
  const names = string[2]{"a b", "\x00\xff"}
  const flags = bool[2]{true, false}
  const z = c64[1] b64"AACAPwAAAEA="
  const long = i8[20] b64"AAECAwQFBgcICQoLDA0ODxAREhM="
  const none = f32[0,4]{}
  const "const" f32[M] #doc("typed") = f32[1]{2.0}
  const sp1 = sparse[2, 2](f32[1]{3.0}, i64[1]{2})
  y f32[N,4,?,?] #stats(1, "batch-norm bn1", mean=[0.0, 1.5], std=[1.0, nan], lo=[-inf, 0.1]) = Conv(x, zeros, _) {strides=[1, 1], alpha=0.1, e=1e-07, auto_pad="SAME\nUPPER", k=3 #doc("doc") #extra(b64"AA==")} @/layer1/conv #doc("node") #meta("a", "b") #extra(b64"AQ==")
  "onnx::Conv_1", _, late !? = "com example"::"odd op":"o v"(y, _, w, _) {t=f32[]{1.0}, ts=[f32[1]{1.0}, i64[0]{}], l=["a", "b"], f=[0.5, nan, inf, nan-7f800001], none=ints[], n2=floats[], n3=tensors[], n4=sparses[], n5=graphs[], n6=types[], ty=type seq(f32[2]), tys=[type f32[2], type ?], s=sparse[3](f32[0]{}, i64[0]{}), ss=[sparse[1](i8[1]{1}, i64[1]{0})], nothing=none #extra(b64"AQ==")}
  r = If(flags) {then_branch=graph then() -> (a) {
    a = Add(y, w)
  }, else_branch=graph () -> (y) {
  }, more=[graph p(q) -> (q) {
  }, graph () -> (inner) {
    const inner = f32[]{0.0}
  }]} @"if 1"
  = Sink(r)
}
`

func TestTextRoundTrip(t *testing.T) {
	m := parse(t, everything)
	if got := text(t, m); got != everything {
		diff(t, everything, got)
	}
	if err := ir.Check(m.Graph); err != nil {
		t.Error(err)
	}
}

func diff(t *testing.T, want, got string) {
	t.Helper()
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		if i >= len(w) || i >= len(g) || w[i] != g[i] {
			t.Fatalf("line %d:\n want %s\n got  %s", i+1, at(w, i), at(g, i))
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(end)"
}

// TestTextKeepsBits covers data whose decimal form would lose something.
func TestTextKeepsBits(t *testing.T) {
	nan := math.Float32frombits(0x7f800123)
	padded, err := tensor.FromBytes(tensor.Int4, []int{3}, []byte{0x21, 0xf3})
	if err != nil {
		t.Fatal(err)
	}
	loud, err := tensor.FromBytes(tensor.Bool, []int{2}, []byte{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	consts := []*tensor.Tensor{
		tensor.Of([]int{3}, []float32{nan, 1, 2}),
		tensor.Of([]int{2}, []float32{float32(math.Copysign(0, -1)), 1e-45}),
		tensor.Of([]int{2}, []float64{0.1, math.Float64frombits(0x7ff0000000000001)}),
		tensor.Of([]int{6}, []float32{nan, nan, nan, nan, nan, nan}),
		tensor.Of([]int{2}, []tensor.Float16Bits{0x7c01, 0xfe00}),
		padded, loud,
		tensor.New(tensor.Float4E2M1, 5),
		tensor.New(tensor.Complex128, 2),
		tensor.New(tensor.String, 2),
	}
	g := &ir.Graph{Name: "g"}
	for i, c := range consts {
		g.Consts = append(g.Consts, ir.NewConst(string(rune('a'+i)), c))
	}
	out := &ir.Value{Name: "out"}
	g.Nodes = []*ir.Node{{Op: "X", In: []*ir.Value{g.Consts[0]}, Out: []*ir.Value{out}, Attrs: []ir.Attr{{Name: "f", Value: []float32{nan, float32(math.NaN())}}}}}
	g.Bind()
	again := parse(t, text(t, &ir.Model{Graph: g}))
	for i, c := range consts {
		if !tensor.Equal(c, again.Graph.Consts[i].Const) {
			t.Errorf("%v came back as %v", c.Bytes(), again.Graph.Consts[i].Const.Bytes())
		}
	}
	list := again.Graph.Nodes[0].Floats("f")
	for i, x := range g.Nodes[0].Floats("f") {
		if i == 0 && math.Float32bits(x) != math.Float32bits(list[i]) {
			t.Errorf("attribute bits %x came back as %x", math.Float32bits(x), math.Float32bits(list[i]))
		}
	}
}

// TestTextOptions: hashes cannot be parsed, types can be left out.
func TestTextOptions(t *testing.T) {
	m := parse(t, "graph(x f32[18]) -> (y) { const w = f32[18] b64\""+strings.Repeat("AAAB", 24)+"\"\n y f32[18] = Add(x, w) }")
	if s := m.String(); !strings.Contains(s, " sha256:") {
		t.Errorf("no hash in\n%s", s)
	} else if _, err := ir.Parse(strings.NewReader(s)); err == nil || !strings.Contains(err.Error(), "hash") {
		t.Errorf("a text of hashes: %v", err)
	}
	var s strings.Builder
	if err := ir.PrintWith(&s, m, ir.PrintOptions{NoTypes: true, Inline: 100}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(s.String(), "y = Add(x, w)") {
		t.Errorf("types are still there:\n%s", s.String())
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ src, want string }{
		{"", "line 1, column 1: there is no graph"},
		{"graph(x) -> (y) {\n  y = Relu(z)\n}", `line 2, column 12: value "z" is not produced before it is read`},
		{"graph(x) -> (y) {\n  y = Relu(y)\n}", `line 2, column 12: value "y" is not produced`},
		{"graph(x) -> (y) {}", `line 1, column 14: value "y" is not produced`},
		{"graph(x) -> (x) { x = Relu(x) }", `value "x" is produced twice`},
		{"graph(x) -> (x) { a, a = Relu(x) }", `value "a" is produced twice`},
		{"graph(x) -> (x) { default y = f32[]{0.0} }", `"y" is not an input`},
		{"graph(x) -> (x) { const w = f32[3]{1.0} }", "1 elements for shape [3]"},
		{"graph(x) -> (x) { const w = f32[1]{a} }", `"a" is not an element of type f32`},
		{"graph(x) -> (x) { const w = i8[1]{128} }", `"128" is not an element of type i8`},
		{"graph(x) -> (x) { const w = f32[-1]{} }", "negative dimension"},
		{"graph(x) -> (x) { const w = f32[99999999]{*0.0} }", "abbreviated tensors"},
		{"graph(x) -> (x) { const w = f32[1] b64\"AA==\" }", "needs 4 bytes of data"},
		{"graph(x) -> (x) { const w = f32[1] b64\"A\" }", "not in base 64"},
		{"graph(x) -> (x) { const w = sparse[2](f32[1]{1.0}, i64[1]{5}) }", "sparse index 5 outside shape"},
		{"graph(x) -> (x) { const w = sparse[](f32[1]{1.0}, i64[1,0]{}) }", "1 values and 0 indices"},
		{"graph(x) -> (y) { y = Relu(x) {a=[]} }", `such as "ints[]"`},
		{"graph(x) -> (y) { y = Relu(x) {a=[1, 2.0]} }", "different kinds"},
		{"graph(x) -> (y) { y = Relu(x) {a=b} }", `an attribute value expected, found "b"`},
		{"graph(x) -> (y) { y = Relu(x) #stats(1) }", `unknown property "stats"`},
		{"graph(x f31[2]) -> (x) {}", `a type expected, found "f31"`},
		{"graph(x) -> (x) { % }", "unexpected character '%'"},
		{"doc \"a\nb\"", "line 1, column 5: the string does not end on its line"},
		{"opset x graph(x) -> (x) {}", `the version of operator set "x" expected`},
		{"graph(x) -> (x) {} graph(x) -> (x) {}", "a second graph"},
		{"function f {} graph(x) -> (x) {}", `function "f" has no graph`},
		{"graph(x " + strings.Repeat("seq(", 200) + ") -> (x) {}", "nested more than 100 deep"},
	}
	for _, tt := range tests {
		_, err := ir.Parse(strings.NewReader(tt.src))
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("%.60q: %v, want %s", tt.src, err, tt.want)
		}
	}
}

// TestPrintRefuses models whose text would read back as another model.
func TestPrintRefuses(t *testing.T) {
	v := func(name string) *ir.Value { return &ir.Value{Name: name} }
	x, y := v("x"), v("x")
	twice := &ir.Graph{Inputs: []*ir.Value{x, y}, Outputs: []*ir.Value{y}}
	foreign := &ir.Graph{Inputs: []*ir.Value{x}, Outputs: []*ir.Value{v("z")}}
	for want, g := range map[string]*ir.Graph{`two values are called "x"`: twice, `value "z" is read before it is produced`: foreign} {
		if err := ir.Print(&strings.Builder{}, &ir.Model{Graph: g}); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// FuzzParse: no text makes the parser panic, and what it accepts prints to a
// text that means the same.
func FuzzParse(f *testing.F) {
	f.Add(everything)
	f.Add("graph(x) -> (y) { y = If(x) {then_branch=graph() -> (x) {}} }")
	f.Add("opset 17 graph g(x f32[N,3]) -> (y) { const w = f32[4]{*1.0} y = Add(x, w) {a=1} }")
	f.Fuzz(func(t *testing.T, src string) {
		m, err := ir.Parse(strings.NewReader(src))
		if err != nil {
			return
		}
		once := text(t, m)
		again := parse(t, once)
		if twice := text(t, again); once != twice {
			t.Fatalf("printing is not stable:\n%s\n%s", once, twice)
		}
		if !reflect.DeepEqual(names(m.Graph), names(again.Graph)) {
			t.Fatal("names differ")
		}
	})
}

func names(g *ir.Graph) []string {
	var out []string
	for v := range g.Values {
		out = append(out, v.Name)
	}
	return out
}
