package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// families are the programs of this module for amd64; each writes
// <family>_amd64.s and its declarations, <family>_amd64.go.
var families = []string{"codes", "depthgrad", "depthline", "elementwise", "encode", "expand", "inttile", "intwinograd", "low", "outer", "peak", "quantize", "row", "split", "steps", "tile", "training", "transpose", "window", "winograd"}

func main() {
	check := flag.Bool("check", false, "compare with the committed files instead of writing them")
	flag.Parse()
	dir, err := os.MkdirTemp("", "pare-asm")
	if err == nil {
		err = run(dir, *check)
		os.RemoveAll(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run generates all files in dir, and compares them with the committed ones or
// puts them in their place.
func run(dir string, check bool) error {
	work := filepath.Join(dir, "work")
	if err := os.Mkdir(work, 0o755); err != nil {
		return err
	}
	var stale []error
	for _, f := range append(families, "arm64") {
		files, err := generate(f, dir, work)
		if err != nil {
			return err
		}
		for _, name := range files {
			stale = append(stale, place(filepath.Join(dir, name), filepath.Join("..", name), check))
		}
	}
	return errors.Join(stale...)
}

// generate runs the program of one family in work. The files' heads show its
// arguments, so these are relative.
func generate(family, dir, work string) (files []string, err error) {
	program := filepath.Join(work, family)
	if out, err := exec.Command("go", "build", "-o", program, "./"+family).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", family, err, out)
	}
	if family == "arm64" {
		// One program lists all the files that it writes.
		out, err := exec.Command(program, "-out", dir).Output()
		return strings.Fields(string(out)), err
	}
	files = []string{family + "_amd64.s", family + "_amd64.go"}
	cmd := exec.Command(program, "-out", "../"+files[0], "-stubs", "../"+files[1], "-pkg", "kernel")
	cmd.Dir = work
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", family, err, out)
	}
	return files, nil
}

// place compares or copies one file.
func place(from, to string, check bool) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if !check {
		return os.WriteFile(to, data, 0o644)
	}
	if old, err := os.ReadFile(to); err != nil || !bytes.Equal(old, data) {
		return fmt.Errorf("%s is not what its generator writes; run go generate ./kernel", filepath.Base(to))
	}
	return nil
}
