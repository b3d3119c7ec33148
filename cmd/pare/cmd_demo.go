package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"pare"
	"pare/dataset"
	"pare/demo"
	"pare/internal/atomicfile"
	"pare/internal/fault"
)

// demoFlags are the options of demo.
type demoFlags struct {
	dir     string
	samples int
}

// demoCandidates are the recipes that the demo tries; the first changes nothing.
var demoCandidates = []pare.Candidate{
	{Name: "original", Recipe: "copy"},
	{Name: "fold", Recipe: "fold"},
	{Name: "w8", Recipe: "w8"},
	{Name: "w8a8", Recipe: "w8a8"},
	{Name: "uniform4", Recipe: "fold+uniform(w=4)"},
	{Name: "power4", Recipe: "fold+powerquant(w=4)"},
	{Name: "uniform3", Recipe: "fold+uniform(w=3)"},
	{Name: "power3", Recipe: "fold+powerquant(w=3)"},
}

// demoDoc is the JSON document of demo.
type demoDoc struct {
	Folder  string           `json:"folder"`
	Model   *pare.Inspection `json:"inspection"`
	Samples int              `json:"samples"`
	Recipes []pare.Tried     `json:"recipes"`
}

func demoCmd(a *app) *cobra.Command {
	o := demoFlags{}
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show the whole product on an embedded network, in under a minute",
		Long: `demo takes the network and the held-out pictures that are part of this program,
compresses the network with several recipes and without data, measures accuracy
and agreement with the original, times each result in turn with the original, and
prints a table. Networks, pictures and report stay in a folder to play with.`,
		Args: files(),
		RunE: func(c *cobra.Command, _ []string) error { return a.demo(c, o) },
	}
	f := c.Flags()
	f.StringVarP(&o.dir, "output", "o", "pare-demo", "folder for the files")
	f.IntVar(&o.samples, "samples", 1000, "pictures to measure on")
	return c
}

func (a *app) demo(c *cobra.Command, o demoFlags) error {
	if o.samples < 1 {
		return usage(fmt.Errorf("--samples %d: want at least 1", o.samples))
	}
	model, data, err := unpackDemo(o)
	if err != nil {
		return err
	}
	m, err := pare.Load(model)
	if err != nil {
		return err
	}
	defer m.Close()
	doc := demoDoc{Folder: o.dir, Samples: o.samples}
	if doc.Model, err = m.Inspect(c.Context()); err != nil {
		return err
	}
	set, err := m.OpenData("cifar10:" + data)
	if err != nil {
		return err
	}
	if !a.json {
		printDemoHead(a.stdout, &doc, set)
	}
	doc.Recipes, err = m.Sweep(c.Context(), demoCandidates, pare.SweepOptions{
		Seed: a.seed, Threads: a.threads, Data: set, Runs: 100, Dir: o.dir, Progress: a.bar.update,
	})
	if err != nil {
		return err
	}
	a.bar.stop()
	if err := a.writeDemoReport(&doc); err != nil {
		return err
	}
	if a.json {
		return a.writeJSON(doc)
	}
	printDemo(a.stdout, &doc, data)
	return nil
}

// unpackDemo writes the embedded network, its pictures and their preprocessing.
func unpackDemo(o demoFlags) (model, data string, err error) {
	if err := os.MkdirAll(o.dir, 0o777); err != nil {
		return "", "", fault.Hint(err, "choose another folder with -o")
	}
	model, data = filepath.Join(o.dir, "demo.onnx"), filepath.Join(o.dir, "pictures.bin")
	options, err := dataset.OptionsJSON(demo.Prepare)
	if err != nil {
		return "", "", err
	}
	for path, content := range map[string][]byte{
		model: demo.Model(), data: demo.Data(o.samples), filepath.Join(o.dir, "demo.data.json"): options,
	} {
		err := atomicfile.Write(path, func(w io.Writer) error {
			_, err := w.Write(content)
			return err
		})
		if err != nil {
			return "", "", fault.Hint(err, "choose another folder with -o")
		}
	}
	return model, data, nil
}

// writeDemoReport keeps the document beside the networks.
func (a *app) writeDemoReport(doc *demoDoc) error {
	var b bytes.Buffer
	if err := (&app{stdout: &b}).writeJSON(doc); err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(doc.Folder, "report.json"), func(w io.Writer) error {
		_, err := w.Write(b.Bytes())
		return err
	})
}

func printDemoHead(w io.Writer, d *demoDoc, set dataset.Set) {
	m := d.Model
	fmt.Fprintf(w, "The network: %s, %s, %s parameters, %s multiply-accumulates, %d layers, %d batch-norms (%d foldable).\n",
		m.Model.Path, size(m.Model.Bytes), count(int64(m.Model.Params)), count(m.Model.MACs), len(m.Layers), m.BatchNorms.Total, m.BatchNorms.Foldable)
	fmt.Fprintf(w, "The task: tell %d figures apart in %d pictures that it has not seen.\n\n", len(demo.Classes), set.Len())
}

func printDemo(w io.Writer, d *demoDoc, data string) {
	rows := [][]string{{"FILE", "RECIPE", "SIZE", "", "TOP-1", "95 % INTERVAL", "AGREEMENT", "OUTPUTS", "MS", "SPEED"}}
	for i, t := range d.Recipes {
		iv := t.Eval.Top1Interval
		rows = append(rows, []string{
			filepath.Base(t.File), demoCandidates[i].Recipe, size(t.Bytes), fmt.Sprintf("%.0f %%", 100*t.Share), percent(*t.Eval.Top1), fmt.Sprintf("%.1f to %.1f %%", 100*iv[0], 100*iv[1]),
			percent(t.Eval.Against.Agreement), decibels(t.Eval.Against.SNR), fmt.Sprintf("%.3f", t.MedianMS),
			fmt.Sprintf("%.2f (%.2f to %.2f)", t.Ratio, t.RatioInterval[0], t.RatioInterval[1]),
		})
	}
	table(w, rows)
	for _, t := range d.Recipes {
		for _, text := range t.Warnings {
			fmt.Fprintf(w, "warning: %s: %s\n", t.Name, text)
		}
		if t.Skipped > 0 {
			fmt.Fprintf(w, "%s: %d layers were left as they were\n", t.Name, t.Skipped)
		}
	}
	fmt.Fprintf(w, `
All recipes worked without data, on the first and the last layer like on the
others. SPEED is the original's time divided by the result's, runs in turn on
this machine, with the 95 %% interval of the median.

The files are in %s. Try them:
  pare inspect %s
  pare compress %s -o small.onnx --recipe 'fold+powerquant(w=3);conv*:w=8'
  pare compare %s %s --data cifar10:%s
`, d.Folder, d.Model.Model.Path, d.Model.Model.Path, d.Model.Model.Path, d.Recipes[len(d.Recipes)-1].File, data)
}
