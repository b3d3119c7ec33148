package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"pare/internal/cpu"
)

// jobs measures cells in processes of their own, several at a time, so that their
// seconds are those of so many threads and their memory is their own.
type jobs struct {
	set     *set
	w       wishes
	machine string
	folder  string // for what processes are told and answer
	ends    time.Time
	keep    func(row) error
	mu      sync.Mutex
	next    int
	failed  []string
}

// stopping is how long cells have to stop when time is up.
const stopping = 3 * time.Second

// spread measures the cells that are due, so many at a time. What fails or does not
// end in time is told in the end, and what did end stays.
func (s *set) spread(ctx context.Context, w wishes) error {
	if err := w.ready(); err != nil {
		return err
	}
	cells, err := s.dueCells(w)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "cells")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	j := &jobs{set: s, w: w, folder: folder, keep: s.keep(w)}
	j.machine = fmt.Sprintf("%s, %d processors, %d cells at a time", cpu.Model(), runtime.NumCPU(), w.parallel)
	if at, ok := ctx.Deadline(); ok {
		j.ends = at
	}
	fmt.Printf("%d cells, %d at a time\n", len(cells), w.parallel)
	var wg sync.WaitGroup
	for range w.parallel {
		wg.Go(func() {
			for x := j.take(cells); x != nil; x = j.take(cells) {
				j.do(ctx, *x)
			}
		})
	}
	wg.Wait()
	if len(j.failed) > 0 {
		return fmt.Errorf("%d cells have no figures:\n%s", len(j.failed), strings.Join(j.failed, "\n"))
	}
	return nil
}

// take is the next cell that can end in time; nil when there is none.
func (j *jobs) take(cells []task) *task {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.next < len(cells) {
		x := &cells[j.next]
		j.next++
		if j.ends.IsZero() || time.Until(j.ends) > time.Duration(x.Seconds*float64(time.Second)) {
			return x
		}
		j.failed = append(j.failed, x.String()+": not enough time")
	}
	return nil
}

// do measures a cell and keeps its row.
func (j *jobs) do(ctx context.Context, x task) {
	start := time.Now()
	r, err := j.run(ctx, x)
	j.mu.Lock()
	defer j.mu.Unlock()
	if err == nil {
		r.cell = time.Since(start)
		err = j.keep(*r)
	}
	if err != nil {
		j.failed = append(j.failed, x.String()+": "+err.Error())
	}
}

// run is the row that a process measured of a cell.
func (j *jobs) run(ctx context.Context, x task) (*row, error) {
	dir, err := os.MkdirTemp(j.folder, "cell")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	line, err := json.Marshal(x)
	if err != nil {
		return nil, err
	}
	told, answer := filepath.Join(dir, "cell"), filepath.Join(dir, "rows")
	if err := os.WriteFile(told, line, 0o666); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, os.Args[0], j.w.arguments(j.set.name, told, answer, j.machine)...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", j.w.threads), "TMPDIR="+dir)
	cmd.Cancel, cmd.WaitDelay = func() error { return cmd.Process.Signal(os.Interrupt) }, stopping
	if out, err := cmd.CombinedOutput(); ctx.Err() != nil {
		return nil, context.Cause(ctx)
	} else if err != nil {
		return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	rows, err := readLines(answer)
	if err != nil || len(rows) != 1 {
		return nil, fmt.Errorf("%d rows (%w)", len(rows), err)
	}
	return &rows[0], nil
}

// arguments tell another process of this program to measure the cell of a file.
func (w wishes) arguments(set, cells, rows, machine string) []string {
	out := []string{"-set", set, "-cells", cells, "-rows", rows, "-threads", strconv.Itoa(w.threads), "-machine", machine}
	if w.samples > 0 {
		out = append(out, "-samples", strconv.Itoa(w.samples))
	}
	if w.heldOut {
		out = append(out, "-heldout")
	}
	if w.files != "" {
		out = append(out, "-files", w.files)
	}
	return out
}
