package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"

	"pare/calib"
	"pare/demo"
	"pare/grad/optim"
	"pare/ir"
	"pare/onnx"
	"pare/train"
)

// held is the number of pictures that the network is measured on in the end.
const held = 2000

// options are what the network is trained with.
type options struct {
	seed             uint64 // of the weights, the training pictures and their order
	pictures, epochs int
	threads          int
	log              io.Writer
}

func main() {
	log.SetFlags(0)
	o := options{threads: runtime.GOMAXPROCS(0), log: os.Stderr}
	flag.Uint64Var(&o.seed, "seed", 1, "seed of the weights, the training pictures and their order")
	flag.IntVar(&o.pictures, "pictures", 20000, "number of training pictures")
	flag.IntVar(&o.epochs, "epochs", 6, "passes over the training pictures")
	out := flag.String("o", "demo/demo.onnx", "file to write")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	m, right, err := trained(ctx, o)
	if err == nil {
		fmt.Fprintf(os.Stderr, "held-out pictures: %.2f %% right\n", 100*right)
		err = onnx.Save(*out, m, onnx.SaveOptions{})
	}
	if err != nil {
		log.Fatal(err)
	}
}

// trained is a network that was fitted to pictures, and the share of held-out ones
// that it gets right.
func trained(ctx context.Context, o options) (*ir.Model, float64, error) {
	if o.seed == demo.Held {
		return nil, 0, fmt.Errorf("seed %d belongs to the held-out pictures", o.seed)
	}
	m := network(rand.New(rand.NewPCG(o.seed, 0)))
	set := calib.Data{Set: pictures(demo.Draw(o.seed, o.pictures))}
	opt := train.Options{
		Batch: 32, Rate: 0.05, Schedule: optim.WarmUp(0.05, optim.Cosine), Decay: 5e-4,
		Optim: optim.Options{Momentum: 0.9, Nesterov: true}, Seed: o.seed, Threads: o.threads,
	}
	opt.Steps = max(o.pictures/opt.Batch, 1) * o.epochs
	opt.Progress = func(done, steps int, loss float64) {
		if done%100 == 0 || done == steps {
			fmt.Fprintf(o.log, "step %d of %d: loss %.4f\n", done, steps, loss)
		}
	}
	t, err := train.New(ctx, m, set, opt)
	if err != nil {
		return nil, 0, err
	}
	if err := t.Steps(ctx, opt.Steps); err != nil {
		return nil, 0, err
	}
	if err := t.Refresh(ctx); err != nil {
		return nil, 0, err
	}
	if err := t.Store(); err != nil {
		return nil, 0, err
	}
	s, err := train.Measure(ctx, m, calib.Data{Set: pictures(demo.Data(held))}, o.threads)
	return m, s.Right, err
}
