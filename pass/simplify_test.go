package pass_test

import (
	"context"
	"testing"

	"pare/ir"
	"pare/pass"
)

// TestSimplify gives graphs and the operators that must remain.
func TestSimplify(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"constants are folded through each other", `opset 17
			graph g(x f32[N,3]) -> (y) {
			  a = Constant() {value=f32[3]{1.0, 2.0, 3.0}}
			  const two = f32[]{2.0}
			  b = Mul(a, two)
			  c = Neg(b)
			  y = Add(x, c)
			}`, "Add"},
		{"a constant result keeps the node that makes it", `opset 17
			graph g(x f32[N,3]) -> (y, c) {
			  const a = f32[3]{1.0, 2.0, 3.0}
			  b = Neg(a)
			  c = Neg(b)
			  y = Add(x, c)
			}`, "Neg Add"},
		{"large fillings stay", `opset 17
			graph g(x f32[N,3000]) -> (y) {
			  const shape = i64[2]{1000, 3000}
			  z = ConstantOfShape(shape)
			  y = Concat(x, z) {axis=0}
			}`, "ConstantOfShape Concat"},
		{"a transposed weight takes the place of its source", `opset 17
			graph g(x f32[N,100]) -> (y) {
			  const w = f32[200,100]{*0.5}
			  wt = Transpose(w) {perm=[1, 0]}
			  y = MatMul(x, wt)
			}`, "MatMul"},
		{"a transposed weight with other readers stays", `opset 17
			graph g(x f32[N,100], i i64[N]) -> (y, e) {
			  const w = f32[200,100]{*0.5}
			  wt = Transpose(w) {perm=[1, 0]}
			  y = MatMul(x, wt)
			  e = Gather(w, i)
			}`, "Transpose MatMul Gather"},
		{"compressed weights stay compressed", `opset 13
			graph g(x f32[N,2]) -> (y) {
			  const q = i8[2,2]{1, 2, 3, 4}
			  const s = f32[]{0.5}
			  w = DequantizeLinear(q, s)
			  wt = Transpose(w) {perm=[1, 0]}
			  y = MatMul(x, wt)
			}`, "DequantizeLinear Transpose MatMul"},
		{"random numbers stay random", `opset 17
			graph g(x f32[N,2]) -> (y) {
			  r = RandomNormal() {shape=[2], seed=1.0}
			  y = Add(x, r)
			}`, "RandomNormal Add"},
		{"calls of functions stay", `opset 17
			opset my 1
			function my::Twice {
			  opset 17
			  graph body(a) -> (b) {
			    b = Add(a, a)
			  }
			}
			graph g(x f32[N,2]) -> (y) {
			  const c = f32[2]{1.0, 2.0}
			  d = my::Twice(c)
			  y = Add(x, d)
			}`, "Twice Add"},
		{"padding by computed amounts", `opset 13
			graph g(x f32[N,4,6,6]) -> (y) {
			  s = Shape(x)
			  const one = i64[]{1}
			  c = Gather(s, one)
			  const four = i64[]{4}
			  q = Div(c, four)
			  const zero = i64[1]{0}
			  qv = Unsqueeze(q, zero)
			  const n3 = i64[1]{3}
			  z3 = ConstantOfShape(n3) {value=i64[1]{0}}
			  const n2 = i64[1]{2}
			  z2 = ConstantOfShape(n2) {value=i64[1]{0}}
			  pads = Concat(zero, qv, z3, qv, z2) {axis=0}
			  y = Pad(x, pads)
			}`, "Pad"},
		{"a flattening that asks for the batch size", `opset 13
			graph g(x f32[N,4,2,3]) -> (y) {
			  s = Shape(x)
			  const z = i64[]{0}
			  n = Gather(s, z)
			  const ax = i64[1]{0}
			  nv = Unsqueeze(n, ax)
			  const rest = i64[1]{-1}
			  want = Concat(nv, rest) {axis=0}
			  y = Reshape(x, want)
			}`, "Reshape"},
		{"nodes without effect", `opset 13
			graph g(x f32[N,4,2]) -> (y) {
			  a = Identity(x)
			  const r = f32[]{0.5}
			  const train = bool[]{false}
			  b = Dropout(a, r, train)
			  const pads = i64[6]{0, 0, 0, 0, 0, 0}
			  c = Pad(b, pads)
			  d = Cast(c) {to=1}
			  const same = i64[3]{0, 4, 2}
			  e = Reshape(d, same)
			  f = Transpose(e) {perm=[0, 1, 2]}
			  h = Concat(f) {axis=1}
			  i = Sum(h)
			  const one = f32[1,1,1]{1.0}
			  j = Mul(one, i)
			  const nil = f32[2]{0.0, 0.0}
			  k = Sub(j, nil)
			  const st = i64[1]{0}
			  const en = i64[1]{9223372036854775807}
			  l = Slice(k, st, en)
			  y = Relu(l)
			}`, "Relu"},
		{"an identity between input and output stays", `opset 13
			graph g(x f32[N]) -> (y) {
			  y = Identity(x)
			}`, "Identity"},
		{"a result takes the name of the output it becomes", `opset 13
			graph g(x f32[N]) -> (y) {
			  a = Relu(x)
			  y = Identity(a)
			}`, "Relu"},
		{"broadcasting additions of nothing stay", `opset 13
			graph g(x f32[N,1]) -> (y) {
			  const z = f32[4]{0.0, 0.0, 0.0, 0.0}
			  y = Add(x, z)
			}`, "Add"},
		{"transpositions cancel", `opset 13
			graph g(x f32[N,4,5,6]) -> (y, z) {
			  a = Transpose(x) {perm=[0, 2, 3, 1]}
			  b = Transpose(a) {perm=[0, 3, 1, 2]}
			  y = Relu(b)
			  c = Transpose(x)
			  z = Transpose(c) {perm=[0, 1, 3, 2]}
			}`, "Relu Transpose"},
		{"reshapes merge and cancel", `opset 13
			graph g(x f32[N,4,5]) -> (y, z) {
			  const s1 = i64[2]{-1, 20}
			  a = Reshape(x, s1)
			  const s2 = i64[3]{-1, 2, 10}
			  b = Reshape(a, s2)
			  y = Relu(b)
			  const ax = i64[1]{1}
			  c = Unsqueeze(x, ax)
			  d = Squeeze(c, ax)
			  z = Neg(d)
			}`, "Reshape Relu Neg"},
		{"padding cut off again", `opset 13
			graph g(x f32[N,2,5]) -> (y) {
			  const pads = i64[6]{0, 0, 1, 0, 0, 2}
			  a = Pad(x, pads)
			  const st = i64[1]{1}
			  const en = i64[1]{-2}
			  const ax = i64[1]{2}
			  b = Slice(a, st, en, ax)
			  y = Relu(b)
			}`, "Relu"},
		{"padding not quite cut off", `opset 13
			graph g(x f32[N,2,5]) -> (y) {
			  const pads = i64[6]{0, 0, 1, 0, 0, 2}
			  a = Pad(x, pads)
			  const st = i64[1]{1}
			  const en = i64[1]{-1}
			  const ax = i64[1]{2}
			  b = Slice(a, st, en, ax)
			  y = Relu(b)
			}`, "Pad Slice Relu"},
		{"padding twice", `opset 13
			graph g(x f32[N,2,5]) -> (y) {
			  const p1 = i64[6]{0, 0, 1, 0, 0, 2}
			  a = Pad(x, p1)
			  const p2 = i64[6]{0, 1, 0, 0, 0, 3}
			  y = Pad(a, p2)
			}`, "Pad"},
		{"dead nodes, unused constants, used sub-graphs", `opset 13
			graph g(x f32[2], c bool[]) -> (y) {
			  const unused = f32[2]{1.0, 2.0}
			  const two = f32[]{2.0}
			  d = Exp(x)
			  e = Neg(d)
			  const one = f32[1]{1.0}
			  k = Neg(one)
			  y = If(c) {then_branch=graph then() -> (a) {
			    a = Mul(x, k)
			  }, else_branch=graph other() -> (b) {
			    f = Identity(x)
			    b = Mul(f, two)
			  }}
			}`, "If"},
		{"constants that an old file lists as inputs", `ir_version 3
			opset 7
			graph g(x f32[N,4], w f32[4]) -> (y) {
			  default w = f32[4]{1.0, 2.0, 3.0, 4.0}
			  k = Neg(w)
			  y = Add(x, k)
			}`, "Add"},
		{"a default that callers may override is no constant", `ir_version 8
			opset 13
			graph g(x f32[N,4], s i64[2]) -> (y) {
			  default s = i64[2]{-1, 2}
			  const k = i64[2]{1, 1}
			  r = Mul(s, k)
			  y = Reshape(x, r)
			}`, "Reshape"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			out, rep := simplify(t, parse(t, tc.src))
			if got := ops(out); got != tc.want {
				t.Errorf("left %q, want %q\n%v", got, tc.want, out)
			}
			if rep.After != len(out.Graph.Nodes) {
				t.Errorf("reported %d nodes", rep.After)
			}
			again, err := pass.Simplify(context.Background(), out)
			if err != nil || len(again.Rewrites) > 0 {
				t.Errorf("a second run rewrites %v, %v", again.Rewrites, err)
			}
		})
	}
}

// TestOverridden runs a simplified graph with another value than the default.
func TestOverridden(t *testing.T) {
	m := parse(t, `ir_version 8
		opset 13
		graph g(x f32[2,2], s f32[2]) -> (y) {
		  default s = f32[2]{1.0, 1.0}
		  a = Mul(x, s)
		  b = Neg(s)
		  y = Add(a, b)
		}`)
	out, _ := simplify(t, m)
	in := inputs(m, 1)
	in[1] = fillRandom(parse(t, "graph g() -> () {\n const s = f32[2]{*0.0}\n}"), 3).Graph.Consts[0].Const
	if d := difference(t, run(t, out, in), run(t, m, in)); d != 0 {
		t.Errorf("an overridden default changes results by %g", d)
	}
}

// TestStaleDeclarations keeps a symbolic batch although the file declares a
// fixed one for a value in between.
func TestStaleDeclarations(t *testing.T) {
	m := parse(t, `opset 13
		graph g(x f32[N,2,3]) -> (y) {
		  a !f32[1,2,3] = Relu(x)
		  s = Shape(a)
		  z = ConstantOfShape(s)
		  y = Add(x, z)
		}`)
	out, _ := simplify(t, m)
	if got := ops(out); got != "Relu Shape ConstantOfShape Add" {
		t.Errorf("left %q\n%v", got, out)
	}
}

// TestKeepsStats hands the statistics of a removed node on.
func TestKeepsStats(t *testing.T) {
	m := parse(t, `opset 13
		graph g(x f32[N,2]) -> (y) {
		  a = Relu(x)
		  b #stats(1, "kept", mean=[0.0, 1.5], std=[1.0, 2.0]) = Identity(a)
		  y = Neg(b)
		}`)
	out, _ := simplify(t, m)
	if v := out.Graph.Value("a"); v == nil || v.Stats == nil || v.Stats.Source != "kept" {
		t.Errorf("statistics are lost:\n%v", out)
	}
}

// TestKeepsStatsOfTransposed hands statistics on through a transposition.
func TestKeepsStatsOfTransposed(t *testing.T) {
	m := parse(t, `opset 13
		graph g(x f32[N,5,2]) -> (y) {
		  a = Relu(x)
		  b #stats(1, "kept", mean=[0.0, 1.5], std=[1.0, 2.0]) = Transpose(a) {perm=[0, 2, 1]}
		  c = Transpose(b) {perm=[0, 2, 1]}
		  y = Neg(c)
		}`)
	out, _ := simplify(t, m)
	if v := out.Graph.Value("a"); ops(out) != "Relu Neg" || v.Stats == nil || v.Stats.Axis != 2 || v.Stats.Source != "kept" {
		t.Errorf("statistics are lost:\n%v", out)
	}
}

// TestCancelled stops at a cancelled context.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	m := parse(t, "opset 13\ngraph g(x f32[N]) -> (y) {\n y = Identity(x)\n}")
	if _, err := pass.Simplify(ctx, m); err != context.Canceled {
		t.Errorf("returned %v", err)
	}
}

// TestSharesData holds that folding copies no weights where a view does.
func TestSharesData(t *testing.T) {
	m := parse(t, `opset 13
		graph g(x f32[N,4]) -> (y) {
		  w = Constant() {value=f32[8]{*0.5}}
		  const s = i64[2]{4, 2}
		  r = Reshape(w, s)
		  y = MatMul(x, r)
		}`)
	data := m.Graph.Nodes[0].Tensor("value").Bytes()
	if _, err := pass.Simplify(context.Background(), m); err != nil {
		t.Fatal(err)
	}
	if v := m.Graph.Consts; len(v) != 1 || v[0].Name != "r" || &v[0].Const.Bytes()[0] != &data[0] {
		t.Errorf("constants are %v", v)
	}
	if err := ir.Check(m.Graph); err != nil {
		t.Error(err)
	}
}
