// Package atomicfile writes files that appear whole or not at all.
package atomicfile

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// Write creates or replaces the file at path with what write writes. On any
// error the file is as before and nothing is left beside it. A device, pipe or
// folder is refused: it would be replaced, not written to.
func Write(path string, write func(w io.Writer) error) (err error) {
	if err := Replaceable(path); err != nil {
		return &os.PathError{Op: "write", Path: path, Err: err}
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			var p *os.PathError
			if errors.As(err, &p) && p.Path == f.Name() {
				p.Path = path // the name that the caller knows
			}
		}
	}()
	w := bufio.NewWriterSize(f, 1<<20)
	if err = write(w); err != nil {
		return err
	}
	if err = w.Flush(); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Replaceable reports a path at which something other than a regular file lies.
func Replaceable(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	return nil
}
