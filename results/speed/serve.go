package main

import (
	"context"
	"os"
	"runtime"

	"pare"
	"pare/internal/npy"
	"pare/internal/rival"
	"pare/tensor"
)

// engine is pare as one of the competitors.
type engine struct{ ctx context.Context }

func serve(ctx context.Context) error { return rival.Serve(os.Stdin, os.Stdout, engine{ctx}) }

// Name implements rival.Engine.
func (engine) Name() string { return own }

// Load implements rival.Engine.
func (e engine) Load(q rival.Request) (func() error, error) {
	runtime.GOMAXPROCS(q.Threads)
	m, err := pare.Load(q.Load)
	if err != nil {
		return nil, err
	}
	s, err := m.NewSession(e.ctx, pare.SessionOptions{Threads: q.Threads})
	if err != nil {
		return nil, err
	}
	in, err := readInputs(q.Inputs)
	if err != nil {
		return nil, err
	}
	return func() error {
		_, err := s.Run(e.ctx, in)
		return err
	}, nil
}

// readInputs reads .npy files by the names of the inputs.
func readInputs(files map[string]string) (map[string]*tensor.Tensor, error) {
	in := map[string]*tensor.Tensor{}
	for name, file := range files {
		t, err := npy.ReadFile(file)
		if err != nil {
			return nil, err
		}
		in[name] = t
	}
	return in, nil
}
