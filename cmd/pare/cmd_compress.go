package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pare"
	"pare/compress"
	"pare/dataset"
	"pare/eval"
	"pare/internal/fault"
)

// compressFlags are the options of compress.
type compressFlags struct {
	out, recipe, preset, file       string
	machine                         string
	data, eval, inputRange, require string
	target                          string
	samples, evalSamples            int
	external                        int64
	inline, dry, anew               bool
	bench                           string
}

func compressCmd(a *app) *cobra.Command {
	var o compressFlags
	c := &cobra.Command{
		Use:   "compress MODEL -o OUT",
		Short: "Compress a network and write it as standard ONNX",
		Long: `compress applies a recipe to a trained network, writes the result as standard
ONNX and reports what was done to every layer and what it cost. The default
preset is ` + pare.DefaultRecipe + `; pare methods lists methods and presets.

--for avx2 says that processors without VNNI will run the file: where a recipe
gives convolutions and dense layers 8-bit weights they get 7 bits, which such
processors multiply faster. It becomes part of the recipe (";for=avx2") and is
never taken from the machine that compresses; files run everywhere either way.

Steps that prune or decompose report parameters, multiply-accumulates, additions
and the multiplications that are left when each distinct product is computed once,
and what they did to the outputs, on a few samples of the data or made up. Such
counts are no time: the result and MODEL are timed in turns beside them (--bench).

Without data, activations are quantised from what the network itself tells and
the range of its input, which follows from the preprocessing (mean, std) of
MODEL.data.json, the model's metadata or --input-range. With --data, the first
--samples are calibrated on and the rest measured on; --eval names other data to
measure on, or "none". Preprocessing that --eval leaves out is that of --data;
the range of the input follows from that of --eval where nothing else tells it.

Methods that take long keep their results in the folder OUT` + journalEnd + ` until OUT is written:
a run that was interrupted, started again, goes on where it was and writes the
same bytes. Nothing is taken from there if model, recipe, data or seed differ.

--target searches the amount of pruning. With goals of costs (macs, params, size:
shares of the original) as little goes as meets them, with goals of quality alone
(drop, agreement, ...; they need --eval or --data) as much as keeps them. It is
the amount of the recipe's pruning step; a recipe without one gets '` + pare.DefaultPruning + `'
behind fold. Without a recipe it is fold+` + pare.DefaultPruning + `, followed by the default
preset where the target is about size.

` + dataHelp,
		Example: `  pare compress resnet50.onnx -o small.onnx
  pare compress resnet50.onnx -o small.onnx --recipe 'fold+powerquant(w=4)'
  pare compress resnet50.onnx -o small.onnx --data images:calibration --eval images:val --require 'drop<=1%'`,
		Args: files("MODEL"),
		RunE: func(c *cobra.Command, args []string) error { return a.compress(c, args[0], o) },
	}
	f := c.Flags()
	f.StringVarP(&o.out, "output", "o", "", "the file to write")
	f.StringVarP(&o.recipe, "recipe", "r", "", "recipe, such as 'fold+uniform(w=4)'; copy changes nothing")
	f.StringVar(&o.preset, "preset", "", "named recipe (default "+pare.DefaultRecipe+")")
	f.StringVar(&o.file, "recipe-file", "", "YAML file with steps and selections of layers")
	f.StringVar(&o.machine, "for", "", "kind of machine that will run the file: avx2, or none for any")
	f.StringVar(&o.data, "data", "", "data to calibrate on (SPEC)")
	f.IntVar(&o.samples, "samples", pare.DefaultSamples, "calibrate on the first so many samples")
	f.StringVar(&o.eval, "eval", "", "data to measure the result on (SPEC), or none")
	f.IntVar(&o.evalSamples, "eval-samples", 0, "measure on the first so many samples, 0 for all")
	f.StringVar(&o.inputRange, "input-range", "", "LO:HI, the range of the network's input, or one pair per channel: -2.1:2.2,-2:2.4,-1.8:2.6")
	f.StringVar(&o.require, "require", "", "goals, such as 'size<=25%,drop<=1%'; status 3 when missed")
	f.StringVar(&o.target, "target", "", "prune until goals are met, such as 'macs<=50%,drop<=1%'; status 3 when they cannot be")
	f.BoolVar(&o.inline, "inline", false, "expand model-local functions, for runtimes without them")
	f.Int64Var(&o.external, "external", 0, "write constants of at least so many bytes to a file beside OUT with the ending .data (default only beyond 2 GB)")
	f.Lookup("external").NoOptDefVal = "1024"
	f.StringVar(&o.bench, "bench", benchAuto, "time the result and MODEL in turns: on, off, or auto where steps prune or decompose and it takes no more than two seconds")
	f.Lookup("bench").NoOptDefVal = benchOn
	f.BoolVar(&o.anew, "no-resume", false, "start anew where an interrupted run left results in OUT"+journalEnd)
	f.BoolVar(&o.dry, "dry-run", false, "report only, write nothing")
	return c
}

// chosen is the recipe that the flags ask for.
func (o *compressFlags) chosen() (string, error) {
	recipe, given := pare.DefaultRecipe, 0
	for _, text := range []string{o.recipe, o.preset} {
		if text != "" {
			recipe = text
			given++
		}
	}
	if o.file != "" {
		given++
		text, err := pare.ReadRecipe(o.file)
		if err != nil {
			return "", usage(err)
		}
		recipe = text
	}
	if given > 1 {
		return "", usage(errors.New("choose one of --recipe, --preset and --recipe-file"))
	}
	if given == 0 && o.target != "" && !strings.Contains(o.target, "size") {
		recipe = "fold"
	}
	if o.machine != "" {
		recipe += ";for=" + o.machine
	}
	recipe, err := pare.CheckRecipe(recipe)
	return recipe, usage(err)
}

// check reports what is wrong before the model is read.
func (o *compressFlags) check(model string) error {
	if !slices.Contains([]string{benchAuto, benchOn, benchOff}, o.bench) {
		return usage(fmt.Errorf("--bench=%s: choose on, off or auto", o.bench))
	}
	if o.out == "" && !o.dry {
		return usage(fault.Hint(errors.New("-o is missing"), "name the file to write, or report only with --dry-run"))
	}
	for _, spec := range []string{o.data, o.eval} {
		if spec == "" || spec == "none" {
			continue
		}
		if _, err := dataset.ParseSpec(spec); err != nil {
			return usage(err)
		}
	}
	if o.dry {
		return nil
	}
	return pare.CheckOutput(o.out, model)
}

func (a *app) compress(c *cobra.Command, path string, o compressFlags) error {
	recipe, err := o.chosen()
	if err != nil {
		return err
	}
	goals, err := parseGoals(o.require)
	if err != nil {
		return err
	}
	target, err := parseGoals(o.target)
	if err != nil {
		return err
	}
	input, err := inputRange(o.inputRange)
	if err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		// Weights that were replaced should not wait long beside what replaced them.
		debug.SetGCPercent(50)
	}
	if err := o.check(path); err != nil {
		return err
	}
	m, err := pare.Load(path)
	if err != nil {
		return err
	}
	defer m.Close()
	opts := pare.Options{Seed: a.seed, Threads: a.threads, Samples: o.samples, Input: input, Progress: a.bar.update, Log: a.log()}
	if opts.Journal, err = o.journal(); err != nil {
		return err
	}
	rep, err := a.compressed(c.Context(), m, recipe, target, opts, o)
	if err != nil {
		return resumable(err, opts.Journal)
	}
	if err := written(opts.Journal); err != nil {
		return err
	}
	a.bar.stop()
	if a.json {
		err = a.writeJSON(rep)
	} else {
		printReport(a.stdout, rep)
	}
	if err != nil {
		return err
	}
	return missed(pare.Missed(append(target, goals...), rep.Figures()))
}

// declared is the range of the input that methods without data may rely on: as
// given, as the model tells, or as the preprocessing of what is measured on tells.
func declared(m *pare.Model, opts pare.Options, measure dataset.Set) (compress.InputRange, error) {
	if opts.Input.Lo != nil || opts.Data != nil || measure == nil {
		return opts.Input, nil
	}
	if r, err := m.InputRange(""); err != nil || r.Lo != nil {
		return r, err
	}
	return m.InputRange(measure.Prepared())
}

// compressed compresses, measures and writes the model.
func (a *app) compressed(ctx context.Context, m *pare.Model, recipe string, target []pare.Goal, opts pare.Options, o compressFlags) (*pare.Report, error) {
	data, err := o.open(m, &opts)
	if err != nil {
		return nil, err
	}
	if opts.Input, err = declared(m, opts, data); err != nil {
		return nil, err
	}
	original := m.Clone()
	save := pare.SaveOptions{External: o.external, Inline: o.inline}
	t := pare.Target{Goals: target, Save: save}
	if data != nil {
		t.Measure = func(ctx context.Context, m *pare.Model) (*eval.Result, error) {
			res, err := m.Evaluate(ctx, data, pare.EvalOptions{Threads: a.threads, Samples: o.evalSamples, Against: original, Progress: a.bar.update})
			if err == nil {
				res.Model, res.Data = o.out, o.measured()
			}
			return res, err
		}
	}
	if err := usage(t.Check(recipe)); target != nil && err != nil {
		return nil, err
	}
	rep, err := applied(ctx, m, recipe, t, opts)
	if err != nil {
		return nil, err
	}
	if err := a.timed(ctx, m, original, rep, o.bench); err != nil {
		return nil, err
	}
	if err := context.Cause(ctx); err != nil || o.dry {
		return rep, err
	}
	rep.Output, err = m.Save(o.out, save)
	return rep, err
}

// applied compresses the model, to a target where there is one, and measures it
// where there are data.
func applied(ctx context.Context, m *pare.Model, recipe string, target pare.Target, opts pare.Options) (*pare.Report, error) {
	if target.Goals != nil {
		return m.CompressTo(ctx, recipe, target, opts)
	}
	rep, err := m.Compress(ctx, recipe, opts)
	if err != nil || target.Measure == nil {
		return rep, err
	}
	res, err := target.Measure(ctx, m)
	if err != nil {
		return nil, err
	}
	rep.Judge(res)
	return rep, nil
}

// open opens the data to calibrate on, into opts, and those to measure on, nil
// for none.
func (o *compressFlags) open(m *pare.Model, opts *pare.Options) (measure dataset.Set, err error) {
	if o.data != "" {
		if opts.Data, err = m.OpenData(o.data); err != nil {
			return nil, err
		}
	}
	switch {
	case o.eval == "none":
		return nil, nil
	case o.eval != "" && opts.Data != nil && opts.Data.Prepared() != "":
		return pare.OpenDataWith(o.eval, opts.Data.Prepared())
	case o.eval != "":
		return m.OpenData(o.eval)
	case o.data != "":
		if rest := dataset.Tail(opts.Data, o.samples); rest.Len() > 0 {
			return rest, nil
		}
	}
	return nil, nil
}

// measured names the data that were measured on.
func (o *compressFlags) measured() string {
	if o.eval != "" {
		return o.eval
	}
	return fmt.Sprintf("%s behind the first %d", o.data, o.samples)
}
