package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"pare"
	"pare/internal/cpu"
	"pare/kernel"
)

// What is timed unless flags say otherwise.
var (
	allISAs    = []string{"avx512", "avx2"}
	allThreads = []int{1, 2}
	allBatches = []int{1, 8}
)

// wishes say which cells and columns are timed.
type wishes struct {
	networks, columns, isas []string
	threads, batches        []int
	again                   bool
}

func main() {
	var w wishes
	var s setup
	flag.StringVar(&s.dir, "dir", filepath.Join(os.TempDir(), "pare-speed"), "folder of networks, inputs and compressed files")
	flag.StringVar(&s.python, "python", os.Getenv("PARE_PEERS"), "Python with the peers' packages; PARE_PEERS where not given")
	flag.StringVar(&s.avx2, "avx2", "", "folder of packages whose engines find no AVX-512")
	flag.Float64Var(&s.seconds, "seconds", 8, "time of a cell")
	networks := flag.String("networks", "", "only networks whose name contains one of these, separated by commas")
	columns := flag.String("columns", "", "only columns whose name contains one of these; those that they are compared with run too")
	isas := flag.String("isa", "", "only these instruction sets: "+strings.Join(allISAs, ","))
	threads := flag.String("threads", "", "only these numbers of threads")
	batches := flag.String("batches", "", "only these batch sizes")
	flag.BoolVar(&w.again, "again", false, "time again what has figures; with -prepare, write again what is there")
	preparing := flag.Bool("prepare", false, "only write networks, inputs and pare's files into the folder")
	render := flag.Bool("render", false, "only write the page of the figures that there are")
	serving := flag.Bool("serve", false, "be pare for another process; for the program itself")
	peaks := flag.Int("peaks", 0, "print the peaks of so many threads; for the program itself")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	w.networks, w.columns, w.isas = parts(*networks), parts(*columns), parts(*isas)
	var err error
	switch {
	case *serving:
		err = serve(ctx)
	case *peaks > 0:
		err = json.NewEncoder(os.Stdout).Encode(measurePeak(*peaks))
	case *render:
		var r *results
		if r, err = readResults(resultsFile); err == nil {
			err = r.write()
		}
	default:
		if w.threads, err = numbers(*threads, allThreads); err == nil {
			w.batches, err = numbers(*batches, allBatches)
		}
		if err == nil {
			err = run(ctx, s, w, *preparing)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// parts splits a list at its commas.
func parts(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

// numbers reads a list of positive numbers; all where it is empty.
func numbers(list string, all []int) ([]int, error) {
	var out []int
	for _, p := range parts(list) {
		n, err := strconv.Atoi(p)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%s: want numbers separated by commas", list)
		}
		out = append(out, n)
	}
	if out == nil {
		out = all
	}
	return out, nil
}

// chosen reports whether a name contains one of the parts, or there are none.
func chosen(name string, parts []string) bool {
	return len(parts) == 0 || slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(name, p) })
}

func run(ctx context.Context, s setup, w wishes, preparing bool) error {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	if preparing {
		for _, n := range networks {
			if !chosen(n.name, w.networks) {
				continue
			}
			if err := prepare(ctx, s.dir, n, w.columns, w.again); err != nil {
				return fmt.Errorf("%s: %w", n.name, err)
			}
		}
		return nil
	}
	s.machine, s.script = cpu.Level(), "x/peers/serve.py"
	for _, x := range grid(allISAs, w.threads, w.batches) {
		if !chosen(x.isa, w.isas) || !chosen(x.network.name, w.networks) || !s.has(x.isa) {
			continue
		}
		if err := s.measure(ctx, x, w); err != nil {
			return fmt.Errorf("%s: %w", x.network.name, err)
		}
	}
	return nil
}

// has reports whether this machine has an instruction set.
func (s setup) has(isa string) bool {
	return slices.Index(allISAs, isa) >= slices.Index(allISAs, s.machine) && slices.Contains(allISAs, s.machine)
}

// measure times the columns of a cell that are due, with those that they are
// compared with, and keeps the rows.
func (s setup) measure(ctx context.Context, x cell, w wishes) error {
	old, err := readResults(resultsFile)
	if err != nil {
		return err
	}
	due, run := s.columns(x, old, w)
	if len(due) == 0 {
		return nil
	}
	begin := time.Now()
	p, err := peakOf(x)
	if err != nil {
		return err
	}
	macs, err := s.macs(ctx, x.network)
	if err != nil {
		return err
	}
	rows := rowsOf(x, s.race(ctx, x, run), p, macs)
	if err := ctx.Err(); err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, func(r row) bool { return !slices.Contains(due, r.Column) })
	old.Machine = machine()
	old.keepPeak(p)
	old.keep(x, rows)
	fmt.Printf("%s %s, %d threads, batch %d: %d columns in %.0f s\n", x.network.name, x.isa, x.threads, x.batch, len(run), time.Since(begin).Seconds())
	return old.write()
}

// columns are the names of those that are due in a cell, and all that run.
func (s setup) columns(x cell, old *results, w wishes) (due []string, run []column) {
	for _, c := range columns {
		if !c.suits(x) {
			continue
		}
		r := old.find(x, c.name)
		fresh := chosen(c.name, w.columns) && (w.again || r == nil || r.Error != "")
		if fresh {
			due = append(due, c.name)
		}
		if fresh || c.peer() || c.name == "float" || c.name == "w8a8" {
			run = append(run, c)
		}
	}
	return due, run
}

// macs are the multiply-accumulates of one sample.
func (s setup) macs(ctx context.Context, n network) (int64, error) {
	m, err := pare.Load(filepath.Join(s.dir, n.name+".onnx"))
	if err != nil {
		return 0, fmt.Errorf("%w; run with -prepare", err)
	}
	defer m.Close()
	info, err := m.Info(ctx)
	if err != nil {
		return 0, err
	}
	return info.MACs, nil
}

// peakOf measures what the machine can do in a cell, in a process of its own.
func peakOf(x cell) (p peak, err error) {
	self, err := os.Executable()
	if err != nil {
		return p, err
	}
	c := exec.Command(self, "-peaks", strconv.Itoa(x.threads))
	c.Env = append(os.Environ(), "PARE_CPU="+x.isa)
	out, err := c.Output()
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal(out, &p)
}

func measurePeak(threads int) peak {
	const each = 50 * time.Millisecond
	n := float64(threads)
	return peak{cpu.Level(), threads, n * kernel.Peak(each) / 1e9, n * kernel.IntPeak(each) / 1e9, kernel.ReadPeak(each, threads) / 1e9}
}

// machine names the processor, as far as the system tells.
func machine() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(name, "\t :")) + ", " + cpu.Have().String()
		}
	}
	return cpu.Have().String()
}
