package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pare"
)

// When the result of a compression is timed against its input.
const (
	benchAuto = "auto"
	benchOn   = "on"
	benchOff  = "off"
)

// How long it may take where nobody asked for it.
const (
	autoFirst = 700 * time.Millisecond
	autoTime  = time.Second
)

// timed compares the times of what was compressed and the original.
func (a *app) timed(ctx context.Context, m, original *pare.Model, rep *pare.Report, bench string) error {
	if bench == benchOff || bench == benchAuto && !rep.Reduces() {
		return nil
	}
	o := pare.PairOptions{Threads: a.threads, Progress: a.bar.update}
	if bench == benchAuto {
		o.Longest, o.Time = autoFirst, autoTime
	}
	var err error
	rep.Time, err = m.PairTime(ctx, original, o)
	if err == nil || bench == benchOn || context.Cause(ctx) != nil {
		return err
	}
	hint := ""
	if slow := (*pare.SlowError)(nil); errors.As(err, &slow) {
		hint = "; --bench times them"
	}
	rep.Warnings = append(rep.Warnings, fmt.Sprintf("the network was not timed: %v%s", err, hint))
	return nil
}
