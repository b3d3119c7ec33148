package prune

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"pare/compress"
	costs "pare/cost"
	"pare/dataset"
	"pare/engine"
	"pare/group/grouptest"
	"pare/internal/assets"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// trained are networks with pictures that they know.
var trained = []struct {
	path, data string
	samples    int
	recipe     string
}{
	{"cifar10/resnet20.onnx", "cifar10:%s?mean=0.485,0.456,0.406&std=0.229,0.224,0.225", 200, "red++(form=split)"},
	{"cifar10/resnet20.onnx", "cifar10:%s?mean=0.485,0.456,0.406&std=0.229,0.224,0.225", 40, "red++(error=0.1,form=split)"},
	{"cifar10/vit_tiny.onnx", "cifar10:%s?mean=0.4914,0.4822,0.4465&std=0.2023,0.1994,0.2010", 100, "red++(form=split)"},
	{"imagenet/mobilenet_v2_1.0.onnx", "images:%s?crop=224&mean=0.5&std=0.5", 8, "red++(form=split)"},
}

// pictures opens the test pictures of a network.
func pictures(t *testing.T, data string) dataset.Set {
	t.Helper()
	path := assets.Path(t, "cifar10/test_5000.bin")
	if data[0] == 'i' {
		path = assets.Path(t, "imagenet/val")
	}
	set, err := dataset.Open(fmt.Sprintf(data, path))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// answers are the outputs on so many pictures, and the classes among them.
func answers(t *testing.T, m *ir.Model, set dataset.Set, samples int) (x []float32, classes []int) {
	t.Helper()
	p, err := engine.Compile(context.Background(), m, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := p.NewSession()
	const batch = 4
	for from := 0; from < samples; from += batch {
		b, err := set.Batch(context.Background(), from, from+batch)
		if err != nil {
			t.Fatal(err)
		}
		out, err := s.Run(context.Background(), map[string]*tensor.Tensor{m.Graph.Inputs[0].Name: b.Inputs[""]})
		if err != nil {
			t.Fatal(err)
		}
		y := tensor.Float32s(out[m.Graph.Outputs[0].Name])
		x = append(x, y...)
		for row := range slices.Chunk(y, len(y)/batch) {
			classes = append(classes, slices.Index(row, slices.Max(row)))
		}
	}
	return x, classes
}

// With alpha=0, merging and splitting change no prediction of the hashed network,
// and no output by more than rounding.
func TestLosslessOnceHashed(t *testing.T) {
	for _, n := range trained {
		t.Run(n.path+"/"+n.recipe, func(t *testing.T) {
			set := pictures(t, n.data)
			m := opened(t, n.path)
			recipe(t, m, "fold")
			hashed := ir.CloneModel(m)
			q := parsed(t, n.recipe).Steps[0].(*REDPP)
			if err := hashOnly(hashed, &q.RED); err != nil {
				t.Fatal(err)
			}
			rep := recipe(t, m, n.recipe)
			want, known := answers(t, hashed, set, n.samples)
			got, classes := answers(t, m, set, n.samples)
			d := distance(got, want)
			t.Logf("distance %.2g; %+v, then %+v", d, rep.Before, rep.After)
			if d > 1e-5 || !slices.Equal(classes, known) {
				t.Errorf("outputs differ by %.2g of the largest; predictions are the same: %v", d, slices.Equal(classes, known))
			}
			if slices.IndexFunc(rep.Layers, func(l compress.LayerReport) bool { return len(l.Parts) == 2 }) < 0 {
				t.Error("nothing was split")
			}
		})
	}
}

func parsed(t *testing.T, text string) *compress.Recipe {
	t.Helper()
	r, err := compress.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// hashOnly is the first of the three steps.
func hashOnly(m *ir.Model, q *RED) error {
	if _, err := op.Infer(m); err != nil {
		return err
	}
	return newWork(m, &compress.Env{Threads: 2}).hash(context.Background(), q.hashing())
}

// A quantised network computes the very same after red++.
func TestCodesStayTheSame(t *testing.T) {
	for _, text := range []string{"fold+uniform(w=4)", "fold+uniform(w=4,a=8)", "fold+powerquant(w=4)"} {
		t.Run(text, func(t *testing.T) {
			set := pictures(t, trained[0].data)
			m := opened(t, trained[0].path)
			recipe(t, m, text)
			want, _ := answers(t, m, set, 40)
			before := m.Graph.Edits()
			rep := recipe(t, m, "red++")
			got, _ := answers(t, m, set, 40)
			if !slices.Equal(got, want) {
				t.Errorf("outputs differ by %.2g of the largest", distance(got, want))
			}
			if rep.After != rep.Before || rep.After.Multiplications > rep.After.MACs/20 {
				t.Errorf("costs %+v, then %+v after %d edits", rep.Before, rep.After, m.Graph.Edits()-before)
			}
		})
	}
}

// Neurons that occur twice in a quantised network are merged through residuals,
// depthwise convolutions and quantised data, and the outputs stay the same: exactly
// where integers are summed, to rounding in float.
func TestPlantedCodesAreFound(t *testing.T) {
	for _, c := range []struct {
		network int // of the trained ones
		recipe  string
		exact   bool
		most    float64 // parameters left, of those at first
	}{
		{0, "uniform(w=4)", false, 1.03},
		{0, "uniform(w=6,a=8)", true, 1.03},
		{2, "uniform(w=6,a=8)", true, 1.12}, // groups of fewer than eight heads keep them all
		{3, "uniform(w=4)", false, 1.03},
	} {
		n := trained[c.network]
		t.Run(n.path+"/"+c.recipe, func(t *testing.T) {
			set := pictures(t, n.data)
			m := opened(t, n.path)
			recipe(t, m, "fold")
			free := units(t, m)
			size, _ := costs.Stored(m)
			done, err := grouptest.Plant(m, grouptest.Options{Every: 3, Seed: 5})
			if err != nil {
				t.Fatal(err)
			}
			recipe(t, m, c.recipe)
			want, _ := answers(t, m, set, 8)
			rep := recipe(t, m, "red++")
			got, _ := answers(t, m, set, 8)
			d := distance(got, want)
			t.Logf("%d of %d units planted; %d parameters at first, %d, %d; distance %.2g", done.Units, free, size, rep.Before.Params, rep.After.Params, d)
			if d > 1e-5 || c.exact && d > 0 {
				t.Errorf("outputs differ by %.2g", d)
			}
			// Scales and grids come on top of the parameters that there were.
			if float64(rep.After.Params) > c.most*float64(size) || rep.Before.Params < size*11/10 {
				t.Errorf("%d parameters became %d after %d", size, rep.After.Params, rep.Before.Params)
			}
		})
	}
}
