package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"pare"
	"pare/eval"
)

// evalFlags are the options of eval.
type evalFlags struct {
	data, against, output, require string
	samples, batch                 int
	reference                      bool
}

func evalCmd(a *app) *cobra.Command {
	var o evalFlags
	c := &cobra.Command{
		Use:   "eval MODEL --data SPEC",
		Short: "Measure accuracy, with its confidence interval",
		Long: `eval measures a network on data: top-1 and top-5 accuracy with a 95 % interval,
or the mean negative log-likelihood of token sequences. With --against the
original runs on the same samples in the same pass: agreement is the share of
equal top classes, the signal-to-noise ratio that of the outputs.

` + dataHelp,
		Example: `  pare eval resnet20.onnx --data 'cifar10:test.bin?mean=0.485,0.456,0.406&std=0.229,0.224,0.225'
  pare eval small.onnx --against big.onnx --data images:val --require 'drop<=1%'`,
		Args: files("MODEL"),
		RunE: func(c *cobra.Command, args []string) error { return a.eval(c, args[0], o) },
	}
	f := c.Flags()
	f.StringVar(&o.data, "data", "", "what to measure on (SPEC)")
	f.StringVar(&o.against, "against", "", "the original to compare with (ONNX file)")
	f.StringVar(&o.output, "output", "", "the output that is judged (default the first)")
	f.StringVar(&o.require, "require", "", "goals, such as 'top1>=90%,drop<=1%,agreement>=0.99'; status 3 when missed")
	f.IntVar(&o.samples, "samples", 0, "measure on the first so many samples, 0 for all")
	f.IntVar(&o.batch, "batch", 0, "samples per run (default 16)")
	f.BoolVar(&o.reference, "reference", false, "run the slow reference operators instead of the kernels")
	return c
}

func (a *app) eval(c *cobra.Command, path string, o evalFlags) error {
	goals, err := parseGoals(o.require)
	if err != nil {
		return err
	}
	if err := needData(o.data); err != nil {
		return err
	}
	m, err := pare.Load(path)
	if err != nil {
		return err
	}
	defer m.Close()
	opts := pare.EvalOptions{
		Threads: a.threads, Samples: o.samples, Batch: o.batch, Output: o.output, Reference: o.reference, Progress: a.bar.update,
	}
	if o.against != "" {
		if opts.Against, err = pare.Load(o.against); err != nil {
			return err
		}
		defer opts.Against.Close()
	}
	res, err := evaluate(c.Context(), m, o.data, opts)
	if err != nil {
		return err
	}
	a.bar.stop()
	if a.json {
		err = a.writeJSON(res)
	} else {
		printEval(a.stdout, res)
	}
	if err != nil {
		return err
	}
	return missed(pare.Missed(goals, pare.Figures(res)))
}

func evaluate(ctx context.Context, m *pare.Model, data string, o pare.EvalOptions) (*eval.Result, error) {
	set, err := m.OpenData(data)
	if err != nil {
		return nil, err
	}
	res, err := m.Evaluate(ctx, set, o)
	if err != nil {
		return nil, err
	}
	res.Data = data
	return res, nil
}

func parseGoals(text string) ([]pare.Goal, error) {
	if text == "" {
		return nil, nil
	}
	g, err := pare.ParseGoals(text)
	return g, usage(err)
}

func printEval(w io.Writer, r *eval.Result) {
	fmt.Fprintf(w, "%s on %d samples", r.Model, r.Samples)
	switch {
	case r.Prepared != "":
		fmt.Fprintf(w, " (%s)", r.Prepared)
	case r.Top1Interval != nil:
		fmt.Fprint(w, " (without preprocessing)")
	}
	fmt.Fprintln(w)
	var rows [][]string
	if r.NLL != nil {
		rows = append(rows, []string{"nll", fmt.Sprintf("%.4f", *r.NLL), fmt.Sprintf("standard error %.4f", *r.NLLError)})
	}
	if r.Spearman != nil {
		rows = append(rows, []string{"spearman", fmt.Sprintf("%.4f", *r.Spearman), "of cosines and scores"})
	}
	if r.Top1 != nil {
		row := []string{"top-1", percent(*r.Top1)}
		if iv := r.Top1Interval; iv != nil {
			row = append(row, fmt.Sprintf("95 %% interval %.2f to %.2f %%", 100*iv[0], 100*iv[1]))
		}
		rows = append(rows, row)
	}
	if r.Top5 != nil {
		rows = append(rows, []string{"top-5", percent(*r.Top5)})
	}
	rows = append(rows, []string{"time", fmt.Sprintf("%.2f s", r.Seconds), fmt.Sprintf("%.2f ms a sample", 1e3*r.Seconds/float64(max(1, r.Samples)))})
	if g := r.Against; g != nil {
		rows = append(rows, againstRows(g)...)
	}
	table(w, rows)
	for _, n := range r.Notes {
		fmt.Fprintf(w, "note: %s\n", n)
	}
}

func againstRows(g *eval.Against) [][]string {
	name := g.Model
	if name == "" {
		name = "the original"
	}
	if g.Cosine != nil {
		rows := [][]string{{"cosine", fmt.Sprintf("%.4f", *g.Cosine), "mean, to the sentence vectors of " + name}}
		if g.Spearman != nil {
			rows = append(rows, []string{"original", fmt.Sprintf("spearman %.4f", *g.Spearman)})
		}
		return append(rows, []string{"vectors", decibels(g.SNR), fmt.Sprintf("largest difference %.3g", g.MaxAbsError)})
	}
	rows := [][]string{
		{"agreement", percent(g.Agreement), "with " + name},
		{"outputs", decibels(g.SNR), fmt.Sprintf("largest difference %.3g", g.MaxAbsError)},
	}
	if g.NLL != nil {
		return append(rows, []string{"original", fmt.Sprintf("nll %.4f", *g.NLL)})
	}
	if g.Top1 != nil {
		rows = append(rows, []string{"original", percent(*g.Top1), "top-1"})
	}
	return rows
}
