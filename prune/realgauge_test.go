package prune

import (
	"context"
	"math"
	"slices"
	"testing"

	"pare/calib"
	"pare/compress"
	"pare/dataset"
	"pare/group"
	"pare/internal/assets"
	"pare/ir"
)

// cifarEnv is an environment with training images.
func cifarEnv(t *testing.T) *compress.Env {
	t.Helper()
	set, err := dataset.Open("cifar10:" + assets.Path(t, "cifar10/train_batch_1.bin") + "?mean=0.485,0.456,0.406&std=0.229,0.224,0.225")
	if err != nil {
		t.Fatal(err)
	}
	return &compress.Env{Threads: 2, Data: &calib.Data{Set: set}}
}

// groupOf finds a group by the name of its first layer.
func groupOf(t *testing.T, m *ir.Model, id string) *group.Group {
	t.Helper()
	list := group.Analyse(m, group.Removing).Groups
	i := slices.IndexFunc(list, func(g *group.Group) bool { return g.ID == id })
	if i < 0 {
		t.Fatalf("no group %q", id)
	}
	return list[i]
}

// TestCompletenessOfResNet: on trained weights and images, of a residual stage as well.
func TestCompletenessOfResNet(t *testing.T) {
	m, env := simplified(t, assets.Path(t, "cifar10/resnet20.onnx"), false), cifarEnv(t)
	for id, samples := range map[string]int{"/layer3/layer3.2/conv1/Conv": 8, "/layer3/layer3.0/conv2/Conv": 2} {
		g := fine(t, m, env, samples)
		grp := groupOf(t, m, id)
		scores, err := g.scores(context.Background(), m, grp)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, s := range scores {
			sum += s
		}
		got, want := -(1-g.Mu)*sum, change(t, g, m, grp, -1)
		t.Logf("%s: integrated %.5f, the loss changes by %.5f", id, got, want)
		if math.Abs(got-want) > 0.02*math.Abs(want) {
			t.Errorf("%s: integrated %.5f, the loss changes by %.5f", id, got, want)
		}
	}
}
