package train

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pare/dataset"
	"pare/ir"
	"pare/tensor"
)

// numbered is a picture of 6 by 6 whose pixels are numbered from 1, in n channels that
// lie in planes or side by side.
func numbered(n int, planes bool) *tensor.Tensor {
	shape := []int{1, 6, 6, n}
	if planes {
		shape = []int{1, n, 6, 6}
	}
	x := tensor.New(tensor.Float32, shape...)
	for i := range tensor.Data[float32](x) {
		at := i / n
		if planes {
			at = i % 36
		}
		tensor.Data[float32](x)[i] = float32(at + 1)
	}
	return x
}

// Pictures are mirrored and moved as a whole, every channel alike, in both layouts.
func TestAugment(t *testing.T) {
	a, moves, mirrors := Augment{Flip: true, Shift: 0.34}, map[[2]int]bool{}, map[bool]bool{}
	for step := range 400 {
		for _, planes := range []bool{true, false} {
			x := numbered(3, planes)
			s := &sample{in: []*tensor.Tensor{x}}
			a.augmented(s, 1, step)
			at := func(c, y, x int) float32 {
				if planes {
					return tensor.Data[float32](s.in[0])[c*36+y*6+x]
				}
				return tensor.Data[float32](s.in[0])[(y*6+x)*3+c]
			}
			flip, dy, dx := found(t, at)
			moves[[2]int{dy, dx}], mirrors[flip] = true, true
		}
	}
	if len(moves) != 25 || len(mirrors) != 2 {
		t.Errorf("%d of 25 moves, mirrored or not: %v", len(moves), mirrors)
	}
}

// found tells which move and mirroring explains a picture.
func found(t *testing.T, at func(c, y, x int) float32) (flip bool, dy, dx int) {
	t.Helper()
	for _, flip := range []bool{false, true} {
		for dy := -2; dy <= 2; dy++ {
			for dx := -2; dx <= 2; dx++ {
				if explains(at, flip, dy, dx) {
					return flip, dy, dx
				}
			}
		}
	}
	t.Fatal("no move explains the picture")
	return false, 0, 0
}

func explains(at func(c, y, x int) float32, flip bool, dy, dx int) bool {
	for y := range 6 {
		for x := range 6 {
			sy, sx, want := y-dy, x-dx, float32(0)
			if sy >= 0 && sy < 6 && sx >= 0 && sx < 6 {
				if flip {
					sx = 5 - sx
				}
				want = float32(sy*6 + sx + 1)
			}
			for c := range 3 {
				if at(c, y, x) != want {
					return false
				}
			}
		}
	}
	return true
}

// Only pictures are changed, and mixing keeps labels beside what was mixed in.
func TestMixup(t *testing.T) {
	ids := tensor.Of([]int{2, 3}, []int64{1, 2, 3, 4, 5, 6})
	x := tensor.New(tensor.Float32, 2, 1, 5, 5)
	for i := range 25 {
		tensor.Data[float32](x)[25+i] = 1
	}
	s := &sample{in: []*tensor.Tensor{x, ids}, labels: []int{7, 9}}
	for step := 0; s.others == nil || slices.Equal(s.others, s.labels); step++ {
		clear(tensor.Data[float32](x)[:25])
		for i := range 25 {
			tensor.Data[float32](x)[25+i] = 1
		}
		Augment{Mixup: 0.4}.augmented(s, 3, step)
	}
	data := tensor.Data[float32](x)
	if s.share < 0.5 || s.share > 1 || math.Abs(float64(data[0])-(1-s.share)) > 1e-6 || math.Abs(float64(data[25])-s.share) > 1e-6 || !slices.Equal(s.others, []int{9, 7}) {
		t.Errorf("share %v, pixels %v and %v, labels %v", s.share, data[0], data[25], s.others)
	}
	if tensor.Data[int64](ids)[3] != 4 {
		t.Error("tokens changed")
	}
}

// Every epoch meets every sample that is not held once, in an order of its own.
func TestOrder(t *testing.T) {
	o := newOrder(100, -1, 9, 5)
	if o.perEpoch() != 10 || len(o.held) != 10 {
		t.Fatalf("%d steps, %d held", o.perEpoch(), len(o.held))
	}
	var epochs [2][]int
	for step := range 20 {
		epochs[step/10] = append(epochs[step/10], o.at(step)...)
	}
	if slices.Equal(epochs[0], epochs[1]) {
		t.Error("both epochs have one order")
	}
	for _, e := range epochs {
		all := append(slices.Clone(e), o.held...)
		slices.Sort(all)
		for i, k := range all {
			if i != k {
				t.Fatalf("sample %d is missing or met twice", i)
			}
		}
	}
	if again := newOrder(100, -1, 9, 5); !slices.Equal(again.at(13), o.at(13)) {
		t.Error("a step alone has other samples")
	}
	if small := newOrder(5, 50, 64, 1); len(small.train) != 1 || small.batch != 1 {
		t.Errorf("%+v", small)
	}
}

// Weights, biases and factors are learned; masks, numbers of the architecture, bounds
// and statistics are not.
func TestLearnable(t *testing.T) {
	m, err := ir.Parse(strings.NewReader(`opset 17
graph g(x f32[N,4,5]) -> (y) {
  const w = f32[5,5]{*0.5}
  const b = f32[5]{*0.1}
  const root = f32[]{2.0}
  const low = f32[4,1]{0.0, -1e9, 0.0, -1e9}
  const lo = f32[]{0.0}
  const g = f32[5]{*1.0}
  const s = f32[4]{*1.0}
  const mu = f32[4]{*0.0}
  const shift = f32[4]{*0.0}
  const power = f32[4]{*1.0}
  const half = f16[5]{*1.0}
  a = MatMul(x, w)
  c = Add(a, b)
  d = Div(c, root)
  e = Add(d, low)
  f = Clip(e, lo)
  h = LayerNormalization(f, g)
  y = BatchNormalization(h, s, shift, mu, power)
}
`))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, v := range learnable(m.Graph, func(v *ir.Value) bool { return v.Name == "b" }) {
		names = append(names, v.Name)
	}
	if got := strings.Join(names, " "); got != "w g s shift" {
		t.Errorf("%s", got)
	}
}

// Tokens learn to name the next one.
func TestFollowing(t *testing.T) {
	got, err := following(dataset.Batch{Inputs: map[string]*tensor.Tensor{"ids": tensor.Of([]int{2, 3}, []int64{1, 2, 3, 4, 5, 6})}})
	if err != nil || !slices.Equal(got, []int{2, 3, -1, 5, 6, -1}) {
		t.Errorf("%v, %v", got, err)
	}
}

// Batch-norms that share numbers get their own.
func TestSeparate(t *testing.T) {
	m, err := ir.Parse(strings.NewReader(`opset 17
graph g(x f32[2,4]) -> (y) {
  const one = f32[4]{*1.0}
  const zero = f32[4]{*0.0}
  a = BatchNormalization(x, one, zero, zero, one)
  y = BatchNormalization(a, one, zero, zero, one)
}
`))
	if err != nil {
		t.Fatal(err)
	}
	if err := separate(m); err != nil {
		t.Fatal(err)
	}
	if err := ir.Check(m.Graph); err != nil {
		t.Fatal(err)
	}
	if n, s := len(learnable(m.Graph, nil)), len(statistics(m.Graph)); n != 4 || s != 4 {
		t.Errorf("%d learned, %d statistics:\n%v", n, s, m.Graph.Consts)
	}
}
