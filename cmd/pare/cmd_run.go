package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"pare"
	"pare/internal/fault"
	"pare/tensor"
)

// runFlags are the options of run.
type runFlags struct {
	inputs               []string
	prepare, out, labels string
	top                  int
	random, reference    bool
	shapes               []string
	batch                int
}

// outputDoc is one output of the JSON document.
type outputDoc struct {
	Shape  []int          `json:"shape"`
	Type   string         `json:"type"`
	Values any            `json:"values,omitempty"`
	File   string         `json:"file,omitempty"`
	Top    [][]pare.Class `json:"top,omitempty"`
}

func runCmd(a *app) *cobra.Command {
	var o runFlags
	c := &cobra.Command{
		Use:   "run MODEL --input [NAME=]FILE...",
		Short: "Run a network once on tensors or images",
		Long: `run reads inputs from .npy, .npz (arrays by input name), .pb (ONNX TensorProto)
or picture files, runs the network and prints its outputs: the top classes of a
classifier, or else the first values. --output DIR writes every output as
DIR/NAME.npy.

Pictures are prepared by the options of --prepare, else of MODEL.data.json or the
model's metadata: resize=256&crop=224&mean=0.5&std=0.5&layout=nhwc&order=bgr.`,
		Example: `  pare run mobilenet.onnx --input cat.jpg --prepare 'resize=256&crop=224&mean=0.5&std=0.5' --labels names.txt
  pare run model.onnx --input x=x.npy --input mask=mask.npy --output results`,
		Args: files("MODEL"),
		RunE: func(c *cobra.Command, args []string) error { return a.runOnce(c, args[0], o) },
	}
	f := c.Flags()
	f.StringArrayVarP(&o.inputs, "input", "i", nil, "[NAME=]FILE: an input; repeat for more")
	f.StringVar(&o.prepare, "prepare", "", "preprocessing of pictures")
	f.StringVarP(&o.out, "output", "o", "", "folder to write the outputs to")
	f.StringVar(&o.labels, "labels", "", "file with class names, one a line")
	f.IntVar(&o.top, "top", 5, "how many classes to print")
	f.BoolVar(&o.random, "random", false, "run on random inputs")
	f.IntVar(&o.batch, "batch", 1, "samples of random inputs")
	f.StringArrayVar(&o.shapes, "shape", nil, "NAME=1x3x224x224: shape of a random input with free dimensions")
	f.BoolVar(&o.reference, "reference", false, "run the slow reference operators instead of the kernels")
	return c
}

func (a *app) runOnce(c *cobra.Command, path string, o runFlags) error {
	if (len(o.inputs) == 0) == !o.random {
		return usage(fault.Hint(errors.New("give either --input or --random"), "pare inspect %s shows the inputs", path))
	}
	labels, err := o.readLabels()
	if err != nil {
		return err
	}
	m, err := pare.Load(path)
	if err != nil {
		return err
	}
	defer m.Close()
	in, notes, err := o.read(m, a.seed)
	if err != nil {
		return err
	}
	s, err := m.NewSession(c.Context(), pare.SessionOptions{Threads: a.threads, Reference: o.reference})
	if err != nil {
		return err
	}
	results, err := s.Run(c.Context(), in)
	if err != nil {
		return fault.AtFile(path, err)
	}
	docs, err := outputs(s, results, o, labels)
	if err != nil {
		return err
	}
	if a.json {
		return a.writeJSON(map[string]any{"model": path, "outputs": docs, "notes": append([]string{}, notes...)})
	}
	for _, v := range s.Outputs() {
		printOutput(a.stdout, v.Name, docs[v.Name], results[v.Name])
	}
	for _, n := range notes {
		fmt.Fprintf(a.stdout, "note: %s\n", n)
	}
	return nil
}

// read makes the inputs that the flags ask for.
func (o *runFlags) read(m *pare.Model, seed uint64) (in map[string]*tensor.Tensor, notes []string, err error) {
	sizes, err := shapes(o.shapes)
	if err != nil {
		return nil, nil, err
	}
	if o.random {
		return m.RandomInputs(pare.Random{Seed: seed, Batch: o.batch, Shapes: sizes})
	}
	return m.ReadInputs(o.inputs, o.prepare)
}

func (o *runFlags) readLabels() ([]string, error) {
	if o.labels == "" {
		return nil, nil
	}
	return pare.ReadLabels(o.labels)
}

// outputs describes the results and writes them where that was asked for.
func outputs(s *pare.Session, results map[string]*tensor.Tensor, o runFlags, labels []string) (map[string]outputDoc, error) {
	docs := map[string]outputDoc{}
	for _, v := range s.Outputs() {
		if results[v.Name] == nil {
			docs[v.Name] = outputDoc{Type: v.Type.String()}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(results)) {
		t := results[name]
		if t == nil {
			continue
		}
		d := outputDoc{Shape: append([]int{}, t.Shape...), Type: t.Type.String(), Top: pare.TopClasses(t, o.top, labels)}
		if o.out == "" {
			d.Values = pare.Values(t)
		} else {
			var err error
			if d.File, err = pare.WriteOutput(o.out, name, t); err != nil {
				return nil, err
			}
		}
		docs[name] = d
	}
	return docs, nil
}

// firstValues is how many values of an output are printed.
const firstValues = 8

func printOutput(w io.Writer, name string, d outputDoc, t *tensor.Tensor) {
	if t == nil {
		fmt.Fprintf(w, "%s %s: no tensor, not shown\n", name, d.Type)
		return
	}
	fmt.Fprintf(w, "%s %v\n", name, t)
	if d.File != "" {
		fmt.Fprintf(w, "  written to %s\n", d.File)
	}
	for i, row := range d.Top {
		if len(d.Top) > 1 {
			fmt.Fprintf(w, "  sample %d\n", i)
		}
		var rows [][]string
		for _, c := range row {
			rows = append(rows, []string{fmt.Sprintf("  %d", c.Index), fmt.Sprintf("%.4f", c.Score), c.Label})
		}
		table(w, rows)
	}
	if d.Top == nil && d.File == "" {
		fmt.Fprintf(w, "  %s\n", pare.FirstValues(t, firstValues))
	}
}
