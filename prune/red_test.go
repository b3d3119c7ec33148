package prune

import (
	"testing"

	costs "pare/cost"
	"pare/group"
	"pare/group/grouptest"
	"pare/internal/assets"
	"pare/tensor"
)

// TestPlantedNeuronsAreFound: a network with duplicates and multiples of neurons
// planted everywhere comes back to its size, with the same outputs: through
// residuals, concatenations and depthwise convolutions, with batch-norms and
// without.
func TestPlantedNeuronsAreFound(t *testing.T) {
	dense, err := assets.Fill(t.TempDir(), "densenet121")
	if err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	for _, n := range []struct {
		path         string
		fold, scaled bool
	}{
		{assets.Path(t, "cifar10/resnet20.onnx"), true, true},
		{assets.Path(t, "cifar10/resnet20.onnx"), false, false},
		{assets.Path(t, "imagenet/mobilenet_v1_0.75.onnx"), true, true},
		{assets.Path(t, "imagenet/mobilenet_v2_1.0.onnx"), true, true},
		{dense, true, true},
	} {
		m := simplified(t, n.path, n.fold)
		want, before := output(t, m), units(t, m)
		size, _ := costs.Stored(m)
		done, err := grouptest.Plant(m, grouptest.Options{Every: 3, Scaled: n.scaled, Seed: 5})
		if err != nil {
			t.Fatal(err)
		}
		grown, _ := costs.Stored(m)
		recipe(t, m, "red(hash=false)")
		left, _ := costs.Stored(m)
		d, after := distance(output(t, m), want), units(t, m)
		t.Logf("%s: %d units, %d after planting %d (%d scaled), %d after; %d, %d, %d parameters; distance %.2g", n.path, before, before+done.Units, done.Units, done.Scaled, after, size, grown, left, d)
		if after > before || d > 1e-5 {
			t.Errorf("%s: %d units of %d are left, outputs differ by %.2g", n.path, after, before, d)
		}
	}
}

// TestVariancesAreCompared: channels that nothing but the variance of a batch-norm
// tells apart stay.
func TestVariancesAreCompared(t *testing.T) {
	m := simplified(t, assets.Path(t, "cifar10/resnet20.onnx"), false)
	done, err := grouptest.Plant(m, grouptest.Options{Every: 3, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	changed := 0
	for _, l := range group.Analyse(m, group.Removing).Links {
		if l.Node.Op != "BatchNormalization" || l.Operand != 4 {
			continue
		}
		for i, u := range l.Units {
			if done.Into[u] != u {
				tensor.Data[float32](l.Value().Const)[i] *= 4
				changed++
			}
		}
	}
	want := output(t, m)
	recipe(t, m, "red(hash=false)")
	if d := distance(output(t, m), want); changed == 0 || d > 1e-5 {
		t.Errorf("%d variances changed, outputs differ by %.2g", changed, d)
	}
}
