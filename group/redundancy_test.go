package group_test

import (
	"testing"

	"pare/group"
	"pare/group/grouptest"
	"pare/ir"
	"pare/tensor"
)

// TestRedundant: what is planted is counted, as what it is, and nothing else.
func TestRedundant(t *testing.T) {
	for _, path := range []string{"cifar10/resnet20.onnx", "models/yunet_n.onnx", "cifar10/vit_tiny.onnx"} {
		for _, scaled := range []bool{false, true} {
			m := anyNetwork(t, path)
			if r := total(m); r != (group.Redundancy{}) {
				t.Errorf("%s: %+v before anything is planted", path, r)
			}
			done, err := grouptest.Plant(m, grouptest.Options{Seed: 4, Every: 5, Scaled: scaled})
			if err != nil {
				t.Fatal(err)
			}
			want := group.Redundancy{Equal: done.Units - done.Scaled, Multiples: done.Scaled}
			if got := total(m); got != want || scaled && done.Scaled == 0 {
				t.Errorf("%s: found %+v of %+v", path, got, want)
			}
		}
	}
}

// TestRedundantDead: channels that are 0, and those read by nothing but zeros.
func TestRedundantDead(t *testing.T) {
	m := drawnStructure(t, structures["chain"])
	for _, v := range m.Graph.Consts {
		x := v.Const
		switch v.Name {
		case "w":
			clear(tensor.Data[float32](x)[:4])
		case "b":
			tensor.Data[float32](x)[0] = 0
		case "z":
			clear(tensor.Data[float32](x)[5:6])
			clear(tensor.Data[float32](x)[11:12])
		}
	}
	if got := total(m); got != (group.Redundancy{Dead: 2}) {
		t.Errorf("found %+v", got)
	}
	m = drawnStructure(t, "  a = Conv(x, w)\n  s = Sigmoid(a)\n  y = Conv(s, z)")
	clear(tensor.Data[float32](m.Graph.Nodes[0].In[1].Const)[:4])
	if got := total(m); got != (group.Redundancy{}) {
		t.Errorf("a channel that is always 1/2 counts as dead: %+v", got)
	}
}

func total(m *ir.Model) (sum group.Redundancy) {
	for _, r := range group.Analyse(m, group.Removing).Redundant(m) {
		sum.Dead, sum.Equal, sum.Multiples = sum.Dead+r.Dead, sum.Equal+r.Equal, sum.Multiples+r.Multiples
	}
	return sum
}
