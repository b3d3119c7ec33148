package main

import (
	"io"
	"os"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/cwriter"
	"github.com/vbauerster/mpb/v8/decor"
)

// patience is how long a task runs before it shows its progress.
const patience = 2 * time.Second

// bar shows the progress of the task under way on a terminal; the zero value
// shows nothing.
type bar struct {
	out   io.Writer // nil for none
	what  string
	total int
	start time.Time
	pace  *pace
	pool  *mpb.Progress
	bar   *mpb.Bar
}

func newBar(stderr io.Writer, quiet bool) bar {
	f, ok := stderr.(*os.File)
	if quiet || !ok || !cwriter.IsTerminal(int(f.Fd())) {
		return bar{}
	}
	return bar{out: f}
}

// update is a pare.Progress.
func (b *bar) update(what string, done, total int) {
	if b.out == nil || total <= 0 {
		return
	}
	if what != b.what || total != b.total {
		b.stop()
		b.what, b.total, b.start, b.pace = what, total, time.Now(), &pace{}
	}
	b.pace.add(time.Now(), done)
	if b.bar == nil && done < total && time.Since(b.start) > patience {
		b.show()
	}
	if b.bar != nil {
		b.bar.SetCurrent(int64(done))
	}
}

func (b *bar) show() {
	b.pool = mpb.New(mpb.WithOutput(b.out), mpb.WithWidth(40))
	pace, total := b.pace, b.total
	b.bar = b.pool.New(int64(b.total), mpb.BarStyle(),
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(b.what+" ")),
		mpb.AppendDecorators(
			decor.CountersNoUnit("%d/%d "),
			decor.Any(func(decor.Statistics) string { return pace.remaining(total) }),
		))
}

// stop removes what is shown.
func (b *bar) stop() {
	if b.bar != nil {
		b.bar.Abort(true)
		b.pool.Wait()
	}
	b.bar, b.pool, b.what = nil, nil, ""
}
