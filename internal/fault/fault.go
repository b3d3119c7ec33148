// Package fault carries what a user needs to know of an error besides its text:
// the file, the node and a hint. Errors stay ordinary wrapped errors.
package fault

import (
	"errors"
	"fmt"
)

// Error is an error with its place and a hint; empty fields are unknown.
type Error struct {
	File, Node, Hint string
	Err              error
}

// Error prints the file and the node, where known, before the error itself.
func (e *Error) Error() string {
	s := e.Err.Error()
	if e.Node != "" {
		s = e.Node + ": " + s
	}
	if e.File != "" {
		s = e.File + ": " + s
	}
	return s
}

// Unwrap returns the error that e describes.
func (e *Error) Unwrap() error { return e.Err }

// AtFile adds the file to an error; nil stays nil.
func AtFile(file string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{File: file, Err: err}
}

// AtNode adds the node to an error; nil stays nil.
func AtNode(node fmt.Stringer, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Node: node.String(), Err: err}
}

// Hint adds advice to an error; nil stays nil.
func Hint(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &Error{Hint: fmt.Sprintf(format, args...), Err: err}
}

// Describe collects file, node and hint from an error and everything that it
// wraps; the innermost node and the outermost file and hint win.
func Describe(err error) (file, node, hint string) {
	for ; err != nil; err = errors.Unwrap(err) {
		var e *Error
		if !errors.As(err, &e) {
			break
		}
		if file == "" {
			file = e.File
		}
		if e.Node != "" {
			node = e.Node
		}
		if hint == "" {
			hint = e.Hint
		}
		err = e
	}
	return file, node, hint
}
