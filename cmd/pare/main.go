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
	a := &app{stdout: stdout, stderr: stderr}
	root := a.root()
	a.json = slices.Contains(args, "--json") // also where flags are at fault
	return a.finish(ctx, root.execute(ctx, args))
}
