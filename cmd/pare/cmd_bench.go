package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

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
define a step: 3x3 convolutions in Winograd's form ("winograd 4x4", on codes
"int winograd 4x4") need fewer and may be above the peak, and so may layers that
leave out zeros or compute what filters share once ("split conv", "sparse").

The bytes of a step are those of its operands, weights in the form in which they
are read, and results; where caches serve them, GB/s are above the rate at which
this machine's memory is read, which is measured too.

With --against the two networks run in turn, in changing order; the ratio is the
median over pairs of the other's time divided by this one's, so above 1 this one
is faster. --against 'exec:COMMAND' starts a command that runs the same file in
another engine: 'exec:python x/peers/serve.py ort' is ONNX Runtime, and that
script says how others are written.

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
	f.StringVar(&o.against, "against", "", "another network to time in turn with it, or exec:COMMAND for another engine")
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
	if command, ok := strings.CutPrefix(o.against, "exec:"); ok {
		if opts.Rival = strings.Fields(command); len(opts.Rival) == 0 {
			return usage(errors.New("--against exec: needs a command behind the colon"))
		}
	} else if o.against != "" {
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
	fmt.Fprintf(w, "batch %d, %d threads, cpu level %s, %d runs\n", r.Batch, r.Threads, r.CPU, r.Runs)
	fmt.Fprintf(w, "peaks: %.1f GFLOP/s, %.1f GOP/s of 8-bit integers, reading memory %.1f GB/s\n\n", r.Peak, r.IntPeak, r.Read)
	rows := [][]string{{"MODEL", "MEDIAN", "MIN", "MAX", "FIRST", "ARENA"}, timingRow(r.Timing)}
	if r.Against != nil {
		rows = append(rows, timingRow(*r.Against))
	}
	table(w, rows)
	fmt.Fprintf(w, "%.1f samples a second, %.1f GOP/s\n", r.PerSecond, r.GOPS)
	if r.Ratio != nil {
		verdict := "no clear difference"
		switch {
		case r.RatioInterval[0] > 1:
			verdict = "faster"
		case r.RatioInterval[1] < 1:
			verdict = "slower"
		}
		fmt.Fprintf(w, "%.2f times as fast as %s (95 %% interval %.2f to %.2f): %s\n", *r.Ratio, cmp.Or(r.Against.Engine, r.Against.Model), r.RatioInterval[0], r.RatioInterval[1], verdict)
	}
	fmt.Fprintln(w)
	printSteps(w, r.Steps, top)
	fmt.Fprintln(w)
	printKernels(w, r.Kernels)
	for _, n := range r.Notes {
		fmt.Fprintf(w, "note: %s\n", n)
	}
}

func timingRow(t pare.Timing) []string {
	row := []string{cmp.Or(t.Engine, t.Model)}
	for _, ms := range []float64{t.MedianMS, t.MinMS, t.MaxMS, t.FirstMS} {
		row = append(row, fmt.Sprintf("%.3f ms", ms))
	}
	if t.Arena == 0 {
		return append(row, "")
	}
	return append(row, size(t.Arena))
}

func printSteps(w io.Writer, steps []pare.StepTime, top int) {
	shown := pare.Slowest(steps, top)
	rows := [][]string{{"STEP", "OP", "KERNEL", "MS", "TIME", "GOP/S", "PEAK", "MB", "GB/S"}}
	for _, s := range shown {
		rows = append(rows, []string{
			s.Name, s.Op, s.Kernel, fmt.Sprintf("%.3f", s.MS), percent(s.Share), fmt.Sprintf("%.1f", s.GOPS), percent(s.PeakShare),
			fmt.Sprintf("%.2f", float64(s.Bytes)/1e6), fmt.Sprintf("%.1f", s.GBS),
		})
	}
	table(w, rows)
	if n := len(steps) - len(shown); n > 0 {
		fmt.Fprintf(w, "and %d faster steps; --top 0 shows all\n", n)
	}
}

func printKernels(w io.Writer, kernels []pare.KernelTime) {
	rows := [][]string{{"KERNEL", "STEPS", "MS", "TIME"}}
	for _, k := range kernels {
		rows = append(rows, []string{k.Kernel, fmt.Sprint(k.Steps), fmt.Sprintf("%.3f", k.MS), percent(k.Share)})
	}
	table(w, rows)
}
