package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"pare"
	"pare/cost"
)

func inspectCmd(a *app) *cobra.Command {
	var o inspectFlags
	c := &cobra.Command{
		Use:   "inspect MODEL",
		Short: "Show what is in a network and what can be compressed",
		Long: `inspect lists the layers of a network with parameters, bytes and
multiply-accumulates, says which can be compressed and why the others cannot,
counts operators and foldable batch-norms, lists which channels can only change
together, says how far weights repeat, and shows the preprocessing that would be
used for its inputs.

DISTINCT is the share of a layer's products with weights other than 0 that differ
in more than their sign from the others of their input channel: no more of them need
be multiplied (RED++).

` + sensitivityHelp + `

` + dataHelp,
		Example: `  pare inspect resnet20.onnx
  pare inspect resnet20.onnx --sensitivity --data cifar10:train.bin --bits 3`,
		Args: files("MODEL"),
		RunE: func(c *cobra.Command, args []string) error { return a.inspect(c, args[0], o) },
	}
	o.declare(c.Flags())
	return c
}

func (a *app) inspect(c *cobra.Command, path string, o inspectFlags) error {
	if err := o.check(c.Flags()); err != nil {
		return err
	}
	m, err := pare.Load(path)
	if err != nil {
		return err
	}
	defer m.Close()
	doc, err := m.Inspect(c.Context())
	if err == nil && o.sensitivity {
		doc.Sensitivity, err = a.sensitivity(c.Context(), m, o)
	}
	if err != nil {
		return err
	}
	a.bar.stop()
	if a.json {
		return a.writeJSON(doc)
	}
	printInspection(a.stdout, doc)
	if doc.Sensitivity != nil {
		printSensitivity(a.stdout, doc.Sensitivity)
	}
	return nil
}

func printInspection(w io.Writer, d *pare.Inspection) {
	m := d.Model
	fmt.Fprintf(w, "%s  %s, opset %d, %s parameters, %s MACs\n", m.Path, size(m.Bytes), m.Opset, count(int64(m.Params)), count(m.MACs))
	if m.Recipe != "" {
		fmt.Fprintf(w, "compressed by pare with %s\n", m.Recipe)
	}
	for _, v := range d.Inputs {
		fmt.Fprintf(w, "input   %s %s\n", v.Name, v.Type)
	}
	for _, v := range d.Outputs {
		fmt.Fprintf(w, "output  %s %s\n", v.Name, v.Type)
	}
	if d.Data != nil {
		fmt.Fprintf(w, "data    %s (from %s)\n", d.Data.Options, d.Data.Source)
	} else {
		fmt.Fprintln(w, "data    no preprocessing known; give it with --data, or in MODEL.data.json")
	}
	var ops []string
	for _, o := range d.Operators {
		ops = append(ops, fmt.Sprintf("%s %d", o.Op, o.Count))
	}
	fmt.Fprintf(w, "\noperators: %s\n", strings.Join(ops, ", "))
	fmt.Fprintf(w, "batch-norms: %d, foldable %d\n", d.BatchNorms.Total, d.BatchNorms.Foldable)
	for _, k := range d.BatchNorms.Kept {
		fmt.Fprintf(w, "  %s stays: %s\n", k.Name, k.Reason)
	}
	fmt.Fprintln(w)
	printLayers(w, d.Layers)
	printGroups(w, d.Groups)
	printRedundancy(w, d)
	for _, text := range d.Warnings {
		fmt.Fprintf(w, "warning: %s\n", text)
	}
}

func printLayers(w io.Writer, layers []pare.LayerInfo) {
	rows := [][]string{{"LAYER", "OP", "KIND", "WEIGHTS", "PARAMS", "MACS", "DISTINCT", "BYTES", "COMPRESSIBLE"}}
	can := 0
	for _, l := range layers {
		verdict := "no: " + l.Reason
		if l.Compressible {
			verdict = "yes"
			can++
		}
		macs := "-"
		if l.MACs > 0 {
			macs = count(l.MACs)
		}
		rows = append(rows, []string{l.Name, l.Op, l.Kind, shape(l.Shape), count(int64(l.Params)), macs, distinct(l.Repeats), size(l.Bytes), verdict})
	}
	table(w, rows)
	fmt.Fprintf(w, "%d of %d layers can be compressed\n", can, len(layers))
}

// distinct is the share of a layer's products that are distinct.
func distinct(r *cost.Reuse) string {
	if r == nil || r.NonZero == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(r.Products)/float64(r.NonZero))
}

// printRedundancy says what repeats in the weights, and lists channels that do
// nothing.
func printRedundancy(w io.Writer, d *pare.Inspection) {
	r := d.Redundancy
	if r.Weights == 0 {
		return
	}
	fmt.Fprintf(w, "\nredundancy of %s weights that multiply: %s are 0 %s; %s of the products of an input channel are distinct %s",
		count(r.Weights), count(r.Weights-r.NonZero), share(r.Weights-r.NonZero, r.Weights), count(r.Products), share(r.Products, r.NonZero))
	if r.Kernels > 0 {
		fmt.Fprintf(w, "; %s of %s kernels are distinct %s", count(r.Distinct), count(r.Kernels), share(r.Distinct, r.Kernels))
	}
	fmt.Fprintln(w)
	for _, l := range d.Layers {
		if p := l.Repeats; p != nil && p.Unread+p.Constant > 0 {
			fmt.Fprintf(w, "  %s: %d channels that it never reads, %d that it computes as constants\n", l.Name, p.Unread, p.Constant)
		}
	}
}

// printGroups lists the groups of coupled channels that may shrink, and counts
// the others by reason.
func printGroups(w io.Writer, groups []pare.GroupInfo) {
	rows := [][]string{{"CHANNELS", "COUNT", "MAY BE REMOVED"}}
	free, dead, equal, multiples := 0, 0, 0, 0
	for _, g := range groups {
		verdict := "no: " + g.Reason
		if !g.Pinned {
			verdict = "yes"
			free += g.Size
		}
		if n := g.Dead + g.Equal + g.Multiples; n > 0 {
			verdict += fmt.Sprintf(", %d at no loss", n)
		}
		dead, equal, multiples = dead+g.Dead, equal+g.Equal, multiples+g.Multiples
		rows = append(rows, []string{g.ID, fmt.Sprint(g.Size), verdict})
	}
	fmt.Fprintln(w)
	table(w, rows)
	fmt.Fprintf(w, "%s channels may be removed; at no loss %d: %d dead, %d equal to others, %d multiples of others\n",
		count(int64(free)), dead+equal+multiples, dead, equal, multiples)
}
