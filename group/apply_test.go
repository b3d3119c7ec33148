package group_test

import (
	"strings"
	"testing"

	"pare/group"
	"pare/group/grouptest"
	"pare/ir"
	"pare/tensor"
)

// structures are small networks, one for everything that couples channels or
// holds their number. All weights are drawn.
var structures = map[string]string{
	"chain":                     "  a = Conv(x, w, b)\n  r = Relu(a)\n  y = Conv(r, z)",
	"residual":                  "  a = Conv(x, w, b)\n  c = Conv(a, v)\n  s = Add(a, c)\n  y = Conv(s, z)",
	"depthwise":                 "  a = Conv(x, w, b)\n  c = Conv(a, d, b) {group=6, pads=[1, 1, 1, 1]}\n  r = Relu(c)\n  y = Conv(r, z)",
	"depthwise that multiplies": "  const dd = f32[12,1,3,3]{*0.5}\n  const zz = f32[2,12,1,1]{*0.5}\n  a = Conv(x, w, b)\n  c = Conv(a, dd) {group=6}\n  r = Relu(c)\n  y = Conv(r, zz)",
	"groups":                    "  const g = f32[6,3,1,1]{*1.0}\n  a = Conv(x, w, b)\n  c = Conv(a, g) {group=2}\n  y = Conv(c, z)",
	"gate":                      "  const w2 = f32[6]{*0.3}\n  a = Conv(x, w, b)\n  p = GlobalAveragePool(a)\n  q = Conv(p, v)\n  s = Sigmoid(q)\n  m = Mul(a, s)\n  y = Conv(m, z)",
	"concat":                    "  const w2 = f32[5,4,1,1]{*1.0}\n  const zz = f32[2,11,1,1]{*1.0}\n  a = Conv(x, w)\n  c = Conv(x, w2)\n  k = Concat(a, c) {axis=1}\n  y = Conv(k, zz)",
	"slice of a concat": "  const two = i64[1]{2}\n  const nine = i64[1]{9}\n  const one = i64[1]{1}\n  const w2 = f32[6,4,1,1]{*1.0}\n  const u = f32[2,7,1,1]{*1.0}\n" +
		"  a = Conv(x, w)\n  c = Conv(x, w2)\n  k = Concat(a, c) {axis=1}\n  s = Slice(k, two, nine, one)\n  y = Conv(s, u)",
	"every second channel": "  const s0 = i64[1]{0}\n  const nine = i64[1]{9}\n  const one = i64[1]{1}\n  const two = i64[1]{2}\n  const u = f32[2,3,1,1]{*1.0}\n" +
		"  a = Conv(x, w)\n  s = Slice(a, s0, nine, one, two)\n  y = Conv(s, u)",
	"split":      "  const sizes = i64[2]{2, 4}\n  const u = f32[4,2,1,1]{*1.0}\n  const q = f32[2,8,1,1]{*1.0}\n  a = Conv(x, w)\n  p, r = Split(a, sizes) {axis=1}\n  k = Conv(p, u)\n  f = Relu(r)\n  h = Concat(k, f) {axis=1}\n  y = Conv(h, q)",
	"even split": "  const u = f32[4,3,1,1]{*1.0}\n  const q = f32[2,7,1,1]{*1.0}\n  a = Conv(x, w)\n  p, r = Split(a) {axis=1, num_outputs=2}\n  k = Conv(p, u)\n  f = Relu(r)\n  h = Concat(k, f) {axis=1}\n  y = Conv(h, q)",
	"gather":     "  const at = i64[4]{5, 0, -2, 2}\n  const u = f32[2,4,1,1]{*1.0}\n  a = Conv(x, w)\n  s = Gather(a, at) {axis=1}\n  y = Conv(s, u)",
	"padded shortcut": "  const p = i64[8]{0, 1, 0, 0, 0, 1, 0, 0}\n  a = Conv(x, w)\n  const r = f32[8,6,1,1]{*1.0}\n  k = Pad(a, p)\n  c = Conv(a, r)\n" +
		"  s = Add(c, k)\n  const u = f32[2,8,1,1]{*1.0}\n  y = Conv(s, u)",
	"shuffle": "  const s1 = i64[5]{1, 2, 3, 8, 8}\n  const s2 = i64[4]{1, 6, 8, 8}\n  a = Conv(x, w)\n  r = Reshape(a, s1)\n  q = Transpose(r) {perm=[0, 2, 1, 3, 4]}\n" +
		"  k = Reshape(q, s2)\n  y = Conv(k, z)",
	"flatten":          "  const fc = f32[384,3]{*1.0}\n  const shape = i64[2]{0, -1}\n  a = Conv(x, w)\n  f = Flatten(a)\n  r = Reshape(f, shape)\n  y = MatMul(r, fc)",
	"reshape":          "  const fc = f32[384,3]{*1.0}\n  const shape = i64[2]{1, 384}\n  a = Conv(x, w)\n  r = Reshape(a, shape)\n  y = Gemm(r, fc)",
	"functions":        "  const slope = f32[6,1,1]{*1.0}\n  const gamma = f32[6]{*1.0}\n  const off = f32[1,6,1,1]{*1.0}\n  a = Conv(x, w)\n  q = PRelu(a, slope)\n  i = InstanceNormalization(q, gamma, b)\n  o = Add(i, off)\n  n = BatchNormalization(o, gamma, b, b, vv)\n  y = Conv(n, z)",
	"transposed":       "  const t = f32[6,5,2,2]{*1.0}\n  const zz = f32[2,5,1,1]{*1.0}\n  a = Conv(x, w)\n  c = ConvTranspose(a, t) {strides=[2, 2]}\n  y = Conv(c, zz)",
	"depth to space":   "  const u = f32[12,4,1,1]{*0.1}\n  const zz = f32[2,3,1,1]{*0.1}\n  a = Conv(x, u)\n  s = DepthToSpace(a) {blocksize=2}\n  y = Conv(s, zz)",
	"columns to space": "  const u = f32[12,4,1,1]{*0.1}\n  const zz = f32[2,3,1,1]{*0.1}\n  a = Conv(x, u)\n  s = DepthToSpace(a) {blocksize=2, mode=\"CRD\"}\n  y = Conv(s, zz)",
	"space to depth":   "  const zz = f32[2,24,1,1]{*0.1}\n  a = Conv(x, w, b)\n  s = SpaceToDepth(a) {blocksize=2}\n  y = Conv(s, zz)",
	"split and shuffled": "  const sizes = i64[2]{3, 3}\n  const d3 = f32[3,1,3,3]{*0.1}\n  const p1 = f32[3,3,1,1]{*0.1}\n  const s1 = i64[5]{1, 2, 3, 8, 8}\n  const s2 = i64[4]{1, -1, 8, 8}\n  a = Conv(x, w)\n" +
		"  l, r = Split(a, sizes) {axis=1}\n  q = Conv(r, p1)\n  e = Conv(q, d3) {group=3, pads=[1, 1, 1, 1]}\n  f = Relu(e)\n  k = Concat(l, f) {axis=1}\n  v5 = Reshape(k, s1)\n  t = Transpose(v5) {perm=[0, 2, 1, 3, 4]}\n  o = Reshape(t, s2)\n  y = Conv(o, z)",
	"gate of dense layers": "  const f1 = f32[3,6]{*0.1}\n  const f2 = f32[6,3]{*0.1}\n  const flat = i64[2]{1, 6}\n  const back = i64[4]{1, 6, 1, 1}\n  a = Conv(x, w, b)\n  p = GlobalAveragePool(a)\n  q = Reshape(p, flat)\n" +
		"  g = Gemm(q, f1) {transB=1}\n  h = Relu(g)\n  i = Gemm(h, f2, b) {transB=1}\n  j = HardSigmoid(i)\n  k = Reshape(j, back)\n  m = Mul(a, k)\n  y = Conv(m, z)",
	"u-net":         "  const t = f32[6,6,2,2]{*0.1}\n  const zz = f32[2,12,1,1]{*0.1}\n  a = Conv(x, w, b)\n  p = MaxPool(a) {kernel_shape=[2, 2], strides=[2, 2]}\n  q = Conv(p, v)\n  c = ConvTranspose(q, t) {strides=[2, 2]}\n  k = Concat(a, c) {axis=1}\n  y = Conv(k, zz)",
	"sizes of maps": "  const two = i64[1]{2}\n  const three = i64[1]{3}\n  const n = i64[1]{1}\n  const c = i64[1]{6}\n  a = Conv(x, w, b)\n  s = Shape(a)\n  h = Gather(s, two) {axis=0}\n  u = Gather(s, three) {axis=0}\n  k = Concat(n, c, h, u) {axis=0}\n  r = Reshape(a, k)\n  y = Conv(r, z)",
	"attention with all of it in one": tokens + "  const qkv = f32[6,36]{*0.1}\n  const s5 = i64[5]{1, 64, 3, 3, 4}\n  const i0 = i64[]{0}\n  const i1 = i64[]{1}\n  const i2 = i64[]{2}\n  const half = f32[]{0.5}\n  const bias = f32[1,3,64,64]{*0.1}\n" +
		"  m = MatMul(t, qkv)\n  r = Reshape(m, s5)\n  p = Transpose(r) {perm=[2, 0, 3, 1, 4]}\n  q = Gather(p, i0) {axis=0}\n  k = Gather(p, i1) {axis=0}\n  u = Gather(p, i2) {axis=0}\n  e = Mul(q, half)\n  kt = Transpose(k) {perm=[0, 1, 3, 2]}\n" +
		"  l = MatMul(e, kt)\n  lb = Add(l, bias)\n  h = Softmax(lb) {axis=-1}\n" + attended,
	"attention split in parts": tokens + "  const qkv = f32[6,36]{*0.1}\n  const s5 = i64[5]{1, 64, 3, 3, 4}\n  const ax = i64[1]{0}\n  const ones = i64[3]{1, 1, 1}\n" +
		"  m = MatMul(t, qkv)\n  r = Reshape(m, s5)\n  p = Transpose(r) {perm=[2, 0, 3, 1, 4]}\n  q5, k5, u5 = Split(p, ones) {axis=0}\n  q = Squeeze(q5, ax)\n  k = Squeeze(k5, ax)\n  u = Squeeze(u5, ax)\n  kt = Transpose(k) {perm=[0, 1, 3, 2]}\n" +
		"  l = MatMul(q, kt)\n  h = Softmax(l) {axis=-1}\n" + attended,
	"attention split first": tokens + "  const qkv = f32[6,36]{*0.1}\n  const s4 = i64[4]{1, 64, 3, 4}\n  const th = i64[3]{12, 12, 12}\n  const no = bool[1,1,64,64]{*true}\n  const low = f32[]{-1000.0}\n" +
		"  m = MatMul(t, qkv)\n  q3, k3, u3 = Split(m, th) {axis=2}\n  q4 = Reshape(q3, s4)\n  k4 = Reshape(k3, s4)\n  u4 = Reshape(u3, s4)\n  q = Transpose(q4) {perm=[0, 2, 1, 3]}\n  kt = Transpose(k4) {perm=[0, 2, 3, 1]}\n  u = Transpose(u4) {perm=[0, 2, 1, 3]}\n" +
		"  l = MatMul(q, kt)\n  lm = Where(no, l, low)\n  h = Softmax(lm) {axis=-1}\n" + attended,
	overBatch: "  const wi = f32[6,12]{*0.1}\n  const wu = f32[6,12]{*0.1}\n  const wo = f32[12,3]{*0.1}\n  const s3 = i64[3]{8, -1, 4}\n  const s2 = i64[2]{-1, 12}\n  const four = f32[]{4.0}\n  t = Transpose(x) {perm=[1, 0, 2]}\n" +
		"  q = MatMul(t, wi)\n  u = MatMul(t, wu)\n  q3 = Reshape(q, s3)\n  u3 = Reshape(u, s3)\n  qt = Transpose(q3) {perm=[1, 0, 2]}\n  qd = Div(qt, four)\n  kt = Transpose(u3) {perm=[1, 2, 0]}\n  ut = Transpose(u3) {perm=[1, 0, 2]}\n" +
		"  l = MatMul(qd, kt)\n  h = Softmax(l) {axis=-1}\n  o = MatMul(h, ut)\n  ot = Transpose(o) {perm=[1, 0, 2]}\n  or = Reshape(ot, s2)\n  y = MatMul(or, wo)",
	"one head": tokens + "  const wq = f32[6,5]{*0.1}\n  const wk = f32[6,5]{*0.1}\n  const wu = f32[6,7]{*0.1}\n  const wo = f32[7,3]{*0.1}\n  q = MatMul(t, wq)\n  k = MatMul(t, wk)\n  u = MatMul(t, wu)\n  kt = Transpose(k) {perm=[0, 2, 1]}\n  l = MatMul(q, kt)\n  h = Softmax(l) {axis=-1}\n  o = MatMul(h, u)\n  y = MatMul(o, wo)",
	"mixer":    tokens + "  const mix = f32[64,64]{*0.1}\n  const wo = f32[6,3]{*0.1}\n  q = MatMul(mix, t)\n  y = MatMul(q, wo)",
	"resized":  "  const sizes = i64[4]{1, 6, 16, 16}\n  a = Conv(x, w)\n  c = Resize(a, _, _, sizes) {mode=\"nearest\"}\n  y = Conv(c, z)",
}

// overBatch is the structure that has a batch of its own, of no fixed size.
const overBatch = "heads over a batch"

// tokens lays channels last, attended is the end of attention with three heads.
const (
	tokens   = "  const ts = i64[3]{1, 6, 64}\n  a = Conv(x, w, b)\n  ar = Reshape(a, ts)\n  t = Transpose(ar) {perm=[0, 2, 1]}\n"
	attended = "  const so = i64[3]{1, 64, 12}\n  const wo = f32[12,3]{*0.1}\n  o = MatMul(h, u)\n  ot = Transpose(o) {perm=[0, 2, 1, 3]}\n  or = Reshape(ot, so)\n  y = MatMul(or, wo)"
)

func drawnStructure(t *testing.T, body string) *ir.Model {
	if body == structures[overBatch] {
		return drawIn(parseWith(t, "f32[pair,8,6]", body))
	}
	return drawIn(parse(t, head+"  const vv = f32[6]{*1.0}\n"+body))
}

// drawIn draws all weights.
func drawIn(m *ir.Model) *ir.Model {
	r := newRand(1)
	for _, v := range m.Graph.Consts {
		if v.Const.Type.IsFloat() {
			x := tensor.Data[float32](v.Const)
			for i := range x {
				x[i] = float32(0.1 + r.Float64())
			}
		}
	}
	return m
}

// TestStructures: in every structure duplicates are merged, dead channels removed
// and channels reordered without a change of the outputs.
func TestStructures(t *testing.T) {
	for name, body := range structures {
		m := drawnStructure(t, body)
		want, size := run(t, m), weightsOf(m)
		if _, err := grouptest.Plant(m, grouptest.Options{Seed: 3}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		consistent(t, name, m)
		same(t, name+", planted", run(t, m), want)
		grown := weightsOf(m)
		reorder(t, m)
		same(t, name+", reordered", run(t, m), want)
		a := group.Analyse(m, group.Removing)
		change(t, m, a, equalUnits(a))
		consistent(t, name, m)
		same(t, name+", merged", run(t, m), want)
		if now := weightsOf(m); now != size || grown <= size {
			t.Errorf("%s: %d weights grew to %d and shrank to %d", name, size, grown, now)
		}
		a = group.Analyse(m, group.Removing)
		c := zeroed(t, m, a)
		want = run(t, m)
		change(t, m, a, c)
		consistent(t, name, m)
		same(t, name+", removed", run(t, m), want)
		if now := weightsOf(m); now >= size {
			t.Errorf("%s: %d weights stay %d", name, size, now)
		}
	}
}

// TestApplyRefuses: what a change may not do, each with its reason.
func TestApplyRefuses(t *testing.T) {
	m := parse(t, head+"  a = Conv(x, w, b)\n  c = Conv(a, v)\n  y = Conv(c, z)")
	a := group.Analyse(m, group.Removing)
	first, second := a.Groups[0].Units, a.Groups[2].Units
	_, pinned, _ := a.Channels(m.Graph.Outputs[0])
	for name, c := range map[string]struct {
		want string
		do   func(c *group.Change)
	}{
		"pinned":         {`a channel of "y" must stay: it is an output of the network`, func(c *group.Change) { c.Into[pinned[0]] = group.Gone }},
		"another group":  {`a channel of "a" cannot be merged into one of "c"`, func(c *group.Change) { c.Into[first[0]] = second[0] }},
		"not one left":   {`no channel of "a" would be left`, func(c *group.Change) { goAll(c, first) }},
		"into nothing":   {`a channel of "a" is merged into one that does not stay`, func(c *group.Change) { c.Into[first[0]], c.Into[first[1]] = first[1], group.Gone }},
		"a bad factor":   {`a channel of "a" cannot count 0 times`, func(c *group.Change) { c.Into[first[0]], c.Factor = first[1], make([]float64, len(c.Into)) }},
		"another length": {"a change of 1 units", func(c *group.Change) { c.Into = c.Into[:1] }},
		"pinned order":   {`the channels of "y" must stay where they are`, func(c *group.Change) { c.Order = make([]int, len(c.Into)); c.Order[pinned[0]] = 1 }},
	} {
		change := a.Keep()
		c.do(change)
		p := ir.NewPatch(m.Graph, name)
		if err := a.Apply(p, change); err == nil || !strings.Contains(err.Error(), c.want) || !p.Empty() {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	if err := group.Analyse(m, group.Rescaling).Apply(ir.NewPatch(m.Graph, ""), a.Keep()); err == nil {
		t.Error("an analysis for rescaling removes")
	}
}

func goAll(c *group.Change, units []int) {
	for _, u := range units {
		c.Into[u] = group.Gone
	}
}

// TestCompensate: a channel that is always the same number leaves for good when
// biases take over what it adds.
func TestCompensate(t *testing.T) {
	for name, body := range map[string]string{
		"convolution": "  a = Conv(x, w, b)\n  y = Conv(a, z)",
		"with a bias": "  a = Conv(x, w, b)\n  c = Conv(a, v, b)\n  y = Conv(c, z)",
		"product":     "  const fc = f32[6,3]{*1.0}\n  a = Conv(x, w, b)\n  p = GlobalAveragePool(a)\n  f = Flatten(p)\n  y = MatMul(f, fc)",
		"dense":       "  const fc = f32[3,6]{*1.0}\n  const c3 = f32[3]{*1.0}\n  a = Conv(x, w, b)\n  p = GlobalAveragePool(a)\n  f = Flatten(p)\n  y = Gemm(f, fc, c3) {transB=1, alpha=0.5, beta=2.0}",
		"added":       "  const fc = f32[6,3]{*1.0}\n  const c3 = f32[3]{*1.0}\n  a = Conv(x, w, b)\n  p = GlobalAveragePool(a)\n  f = Flatten(p)\n  g = MatMul(f, fc)\n  y = Add(g, c3)",
		"groups":      "  const g = f32[6,3,1,1]{*1.0}\n  a = Conv(x, w, b)\n  c = Conv(a, g) {group=2}\n  y = Conv(c, z)",
		"transposed":  "  const u = f32[6,5,1,1]{*1.0}\n  const zz = f32[2,5,1,1]{*1.0}\n  a = Conv(x, w, b)\n  c = ConvTranspose(a, u)\n  y = Conv(c, zz)",
	} {
		m := drawnStructure(t, body)
		a := group.Analyse(m, group.Removing)
		c := zeroed(t, m, a) // of "a", every second channel; its bias is what is left
		c.Compensate = true
		constants := m.Graph.Nodes[0].In[2].Const
		for i, u := range a.Groups[0].Units {
			if c.Into[u] == group.Gone {
				tensor.Data[float32](constants)[i] = float32(i)
			}
		}
		for _, g := range a.Groups[1:] {
			for _, u := range g.Units {
				c.Into[u] = u
			}
		}
		means := make([]float64, 6)
		for i, x := range tensor.Data[float32](constants) {
			means[i] = float64(x)
		}
		c.Stats = func(v *ir.Value) *ir.Stats { return &ir.Stats{Axis: 1, Mean: means} }
		want := run(t, m)
		change(t, m, a, c)
		consistent(t, name, m)
		same(t, name, run(t, m), want)
	}
}
