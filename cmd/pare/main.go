package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run executes one command line and returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	go func() {
		if _, ok := <-signals; ok {
			cancel(errInterrupted)
			signal.Stop(signals) // a second signal ends the process at once
		}
	}()
	out := &sink{Writer: stdout}
	a := &app{stdout: out, stderr: stderr}
	root := a.root()
	a.json = slices.Contains(args, "--json") // also where flags are at fault
	err := root.execute(ctx, args)
	if err == nil {
		err = out.err
	}
	return a.finish(ctx, err)
}

// sink remembers that results could not be written.
type sink struct {
	io.Writer
	err error
}

// Write implements io.Writer.
func (s *sink) Write(p []byte) (int, error) {
	n, err := s.Writer.Write(p)
	if s.err == nil {
		s.err = err
	}
	return n, err
}
