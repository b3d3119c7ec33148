package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"pare"
)

// benchFlags are the options of bench.
type benchFlags struct {
	against             string
	batch, runs, warmup int
	top                 int
	shapes              []string
	formats             []string
	cache               string
}

func benchCmd(a *app) *cobra.Command {
	var o benchFlags
	c := &cobra.Command{
		Use:   "bench MODEL",
		Short: "Time a network, step by step, against the machine's peak",
		Long: `bench runs a network on random inputs and reports the time of a run and of every
step of the compiled program, with its share of the peak that the same process
measures (a loop of multiply-adds on registers, times the threads): of float32
or, for steps on codes, of 8-bit integers. Operations are those of the sums that
define a step: 3x3 convolutions in Winograd's form ("winograd 4x4") need fewer and
may be above the peak.

With --against the two networks run in turn, in changing order; the ratio is the
median over pairs of the other's time divided by this one's, so above 1 this one
is faster.

With --formats it is the layers that are timed, each by itself in every format:
float, w8a8 and the like, or recipes. Times are kept in a file of the user's cache
folder and measured again where processor, kernels, threads or shape differ.`,
		Args: files("MODEL"),
		RunE: func(c *cobra.Command, args []string) error {
			if o.formats != nil {
				return a.benchLayers(c, args[0], o)
			}
			return a.bench(c, args[0], o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.against, "against", "", "another network to time in turn with it")
	f.IntVar(&o.batch, "batch", 1, "samples per run")
	f.IntVar(&o.runs, "runs", 0, "timed runs, 0 for three seconds' worth")
	f.IntVar(&o.warmup, "warmup", 0, "runs before the first timed one (default 3)")
	f.IntVar(&o.top, "top", 20, "print only so many of the slowest steps, 0 for all in order")
	f.StringSliceVar(&o.formats, "formats", nil, "time layers in these formats, such as float,w8a8,w4a8")
	f.StringVar(&o.cache, "cache", "", "file of the layers' times, - for none (default in the user's cache folder)")
	f.StringArrayVar(&o.shapes, "shape", nil, "NAME=1x3x224x224: shape of an input with free dimensions")
	return c
}

func (a *app) bench(c *cobra.Command, path string, o benchFlags) error {
	sizes, err := shapes(o.shapes)
	if err != nil {
		return err
	}
	m, err := pare.Load(path)
	if err != nil {
		return err
	}
	defer m.Close()
	opts := pare.BenchOptions{
		Threads: a.threads, Batch: o.batch, Runs: o.runs, Warmup: o.warmup, Seed: a.seed, Shapes: sizes, Progress: a.bar.update,
	}
	if o.against != "" {
		if opts.Against, err = pare.Load(o.against); err != nil {
			return err
		}
		defer opts.Against.Close()
	}
	res, err := m.Bench(c.Context(), opts)
	if err != nil {
		return err
	}
	a.bar.stop()
	if a.json {
		return a.writeJSON(res)
	}
	printBench(a.stdout, res, o.top)
	return nil
}

func printBench(w io.Writer, r *pare.BenchResult, top int) {
	fmt.Fprintf(w, "batch %d, %d threads, cpu level %s, peak %.1f GFLOP/s and %.1f GOP/s of integers, %d runs\n\n", r.Batch, r.Threads, r.CPU, r.Peak, r.IntPeak, r.Runs)
	rows := [][]string{{"MODEL", "MEDIAN", "MIN", "MAX", "ARENA"}, timingRow(r.Timing)}
	if r.Against != nil {
		rows = append(rows, timingRow(*r.Against))
	}
	table(w, rows)
	fmt.Fprintf(w, "%.1f samples a second\n", r.PerSecond)
	if r.Ratio != nil {
		verdict := "no clear difference"
		switch {
		case r.RatioInterval[0] > 1:
			verdict = "faster"
		case r.RatioInterval[1] < 1:
			verdict = "slower"
		}
		fmt.Fprintf(w, "%.2f times as fast as %s (95 %% interval %.2f to %.2f): %s\n", *r.Ratio, r.Against.Model, r.RatioInterval[0], r.RatioInterval[1], verdict)
	}
	fmt.Fprintln(w)
	printSteps(w, r.Steps, top)
	for _, n := range r.Notes {
		fmt.Fprintf(w, "note: %s\n", n)
	}
}

func timingRow(t pare.Timing) []string {
	return []string{t.Model, fmt.Sprintf("%.3f ms", t.MedianMS), fmt.Sprintf("%.3f ms", t.MinMS), fmt.Sprintf("%.3f ms", t.MaxMS), size(t.Arena)}
}

func printSteps(w io.Writer, steps []pare.StepTime, top int) {
	total := 0.0
	for _, s := range steps {
		total += s.MS
	}
	shown := pare.Slowest(steps, top)
	rows := [][]string{{"STEP", "OP", "KERNEL", "MS", "TIME", "GFLOP/S", "PEAK"}}
	for _, s := range shown {
		rows = append(rows, []string{
			s.Name, s.Op, s.Kernel, fmt.Sprintf("%.3f", s.MS), percent(s.MS / total), fmt.Sprintf("%.1f", s.GOPS), percent(s.PeakShare),
		})
	}
	table(w, rows)
	if n := len(steps) - len(shown); n > 0 {
		fmt.Fprintf(w, "and %d faster steps; --top 0 shows all\n", n)
	}
}
