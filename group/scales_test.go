package group_test

import (
	"testing"

	"pare/group"
	"pare/group/grouptest"
	"pare/ir"
)

// TestScaledDuplicatesAreMerged: multiples become equal to their originals and
// leave without a trace, through depthwise layers, sums and flattened maps.
func TestScaledDuplicatesAreMerged(t *testing.T) {
	least := map[string]int{"cifar10/resnet20.onnx": 80, "cifar10/resnet56.onnx": 200, "imagenet/mobilenet_v1_0.75.onnx": 0,
		"imagenet/mobilenet_v2_1.0.onnx": 50, "models/yunet_n.onnx": 100, "models/fastestdet.onnx": 100, "models/super_resolution_old.onnx": 0}
	for path, n := range least {
		t.Run(path, func(t *testing.T) { mergeScaled(t, anyNetwork(t, path), n) })
	}
	for _, name := range []string{"chain", "residual", "depthwise", "depthwise that multiplies", "groups", "flatten", "shuffle", "concat", "padded shortcut", "functions"} {
		t.Run(name, func(t *testing.T) { mergeScaled(t, drawnStructure(t, structures[name]), 1) })
	}
}

func mergeScaled(t *testing.T, m *ir.Model, least int) {
	want, size := run(t, m), weightsOf(m)
	done, err := grouptest.Plant(m, grouptest.Options{Seed: 9, Every: 3, Scaled: true})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "planted", run(t, m), want)
	a := group.Analyse(m, group.Removing)
	s := a.Scales(m)
	scale, exact := s.Align(done.Into, 1e-5)
	c := a.Keep()
	for u, to := range done.Into {
		if to != u && !exact[u] {
			t.Errorf("a multiple in %q was not aligned", a.GroupOf(u).ID)
			break
		}
		c.Into[u] = to
	}
	p := ir.NewPatch(m.Graph, "align")
	if err := s.Rescaling().Rescale(p, scale); err != nil {
		t.Fatal(err)
	}
	if err := p.Apply(); err != nil {
		t.Fatal(err)
	}
	change(t, m, a, c)
	consistent(t, "merged", m)
	same(t, "merged", run(t, m), want)
	if now := weightsOf(m); now != size || done.Scaled < least {
		t.Errorf("%d weights became %d; %d multiples were planted", size, now, done.Scaled)
	}
	t.Logf("%d duplicates, %d of them multiples", done.Units, done.Scaled)
}

// TestScalesFindMultiples: after scaling, multiples and only they are equal.
func TestScalesFindMultiples(t *testing.T) {
	m := anyNetwork(t, "cifar10/resnet20.onnx")
	done, err := grouptest.Plant(m, grouptest.Options{Seed: 9, Every: 3, Scaled: true})
	if err != nil {
		t.Fatal(err)
	}
	a := group.Analyse(m, group.Removing)
	s := a.Scales(m)
	for _, g := range a.Groups {
		v := s.Vectors(g)
		for i, u := range g.Units {
			for j := range i {
				equal := length(v[i], v[j]) < 1e-4*length(v[j], nil)
				if twin := done.Into[u] == g.Units[j]; equal != twin {
					t.Errorf("%q: channels %d and %d are equal: %v", g.ID, i, j, equal)
				}
			}
		}
	}
}

func length(x, y []float64) (sum float64) {
	for i, v := range x {
		if y != nil {
			v -= y[i]
		}
		sum += v * v
	}
	return sum
}
