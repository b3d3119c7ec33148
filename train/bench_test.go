package train_test

import (
	"context"
	"testing"

	"pare/calib"
	"pare/dataset"
	"pare/internal/assets"
	"pare/onnx"
	"pare/train"
)

// normal is how CIFAR-10 is prepared for the residual networks.
const normal = "?mean=0.485,0.456,0.406&std=0.229,0.224,0.225"

// cifar is a part of the training pictures.
func cifar(t testing.TB) dataset.Set {
	t.Helper()
	s, err := dataset.Open("cifar10:" + assets.Path(t, "cifar10/train_batch_1.bin") + "," + assets.Path(t, "cifar10/train_batch_2.bin") + normal)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// BenchmarkStep is a step of training ResNet-20 on 128 pictures, and its parts.
func BenchmarkStep(b *testing.B) {
	for name, o := range map[string]train.Options{
		"labels":      {},
		"distilled":   {Distil: 0.5},
		"one thread":  {Threads: 1},
		"adamw":       {Optimizer: "adamw"},
		"frozen norm": {Freeze: true},
	} {
		b.Run(name, func(b *testing.B) { step(b, o) })
	}
}

func step(b *testing.B, o train.Options) {
	f, err := onnx.Open(assets.Path(b, "cifar10/resnet20.onnx"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	o.Steps, o.Batch, o.Rate, o.Optim, o.Augment = 1<<20, 128, 0.001, momentum, train.Augment{Flip: true, Shift: 0.125}
	if o.Distil > 0 {
		o.Teacher = f.Model
	}
	if o.Threads == 0 {
		o.Threads = 2
	}
	t, err := train.New(context.Background(), f.Model, calib.Data{Set: cifar(b)}, o)
	if err != nil {
		b.Fatal(err)
	}
	if err := t.Steps(context.Background(), 2); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	if err := t.Steps(context.Background(), b.N); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(128*float64(b.N)/b.Elapsed().Seconds(), "images/s")
	// Forward 40.6 million products and sums for each picture, backward twice as many.
	b.ReportMetric(128*float64(b.N)*3*2*40.6e6/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
