//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"pare/compress"
	"pare/ir"
	"pare/tensor"
)

// The environment of the process says what becomes of the method "resumetest":
// RESUMETEST=kill:3 kills it when it comes to its part 3, wait:3 makes it wait there,
// and anything else lets it run.
func init() {
	if _, set := os.LookupEnv("RESUMETEST"); set {
		compress.Register(compress.Info{Name: "resumetest", Kind: compress.Neutral, Doc: "a costly method of tests", New: func() compress.Method { return &resumeTest{} }})
	}
}

// resumeTest moves the weights of each layer by a random number, which is costly.
type resumeTest struct{}

// Validate implements compress.Method.
func (*resumeTest) Validate() error { return nil }

// Apply implements compress.Method.
func (*resumeTest) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	p := ir.NewPatch(m.Graph, "resumetest")
	layers := env.Layers(m)
	for i := range layers {
		l := &layers[i]
		var moved []float32
		err := env.Resume(l.Name, &moved, func() error {
			if err := halt(ctx, i); err != nil {
				return err
			}
			moved = append(moved, tensor.Float32s(l.Weight.Const)...)
			moved[0] += env.Rand(l.Name).Float32()
			return nil
		})
		if err != nil {
			return err
		}
		env.Advance("moving weights", i+1, len(layers))
		p.Replace(l.Weight, p.Const(l.Weight.Name+"_moved", tensor.Of(l.Weight.Const.Shape, moved)))
	}
	return p.Apply()
}

// halt does what the environment says of part i.
func halt(ctx context.Context, i int) error {
	switch os.Getenv("RESUMETEST") {
	case "kill:" + strconv.Itoa(i):
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "interrupt:" + strconv.Itoa(i):
		syscall.Kill(os.Getpid(), syscall.SIGINT)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Minute):
			return fmt.Errorf("no interrupt came")
		}
	}
	return nil
}
