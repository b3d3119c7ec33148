package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"pare/internal/fault"
)

// The exit statuses.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitMissed      = 3
	exitInterrupted = 130
)

var errInterrupted = errors.New("interrupted")

// usageError is an error in the command line itself.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// usage marks an error as one of the command line; nil stays nil.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

// missedError says that the work was done but a goal was not met.
type missedError struct{ error }

// finish reports an error and chooses the exit status.
func (a *app) finish(ctx context.Context, err error) int {
	a.bar.stop()
	if err == nil {
		return exitDone
	}
	code := exitFailed
	var u usageError
	var m missedError
	switch {
	case errors.Is(context.Cause(ctx), errInterrupted):
		code, err = exitInterrupted, interrupted(err)
	case errors.As(err, &u):
		code = exitUsage
	case errors.As(err, &m):
		code = exitMissed
	}
	file, node, hint := fault.Describe(err)
	var path *os.PathError
	if file == "" && errors.As(err, &path) {
		file = path.Path
	}
	if a.json && code != exitMissed {
		a.writeJSON(map[string]any{"error": errorDoc{err.Error(), file, node, hint}})
	}
	fmt.Fprintf(a.stderr, "error: %v\n", err)
	if hint != "" {
		fmt.Fprintf(a.stderr, "hint: %s\n", hint)
	}
	return code
}

// interrupted keeps of an error what is left to go on from.
func interrupted(err error) error {
	var kept keptError
	if !errors.As(err, &kept) {
		return errInterrupted
	}
	_, _, hint := fault.Describe(kept)
	return fault.Hint(errInterrupted, "%s", hint)
}

// errorDoc is what a failure says as JSON.
type errorDoc struct {
	Message string `json:"message"`
	File    string `json:"file"`
	Node    string `json:"node"`
	Hint    string `json:"hint"`
}

// writeJSON writes the one document of a run.
func (a *app) writeJSON(doc any) error {
	e := json.NewEncoder(a.stdout)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(doc)
}
