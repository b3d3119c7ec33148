package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"pare/compress"
)

// methodDoc is a method of the JSON document.
type methodDoc struct {
	Name   string           `json:"name"`
	Kind   compress.Kind    `json:"kind"`
	Doc    string           `json:"doc"`
	Ref    string           `json:"ref"`
	Trial  bool             `json:"trial"`
	Params []compress.Param `json:"params"`
}

// presetDoc is a preset of the JSON document.
type presetDoc struct {
	Name   string `json:"name"`
	Recipe string `json:"recipe"`
	Doc    string `json:"doc"`
}

func methodsCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "methods [NAME]",
		Short: "List what can stand in a recipe, with parameters and papers",
		Long: `methods lists the methods of recipes with their parameters, defaults and papers,
and the presets, by what they are for, in the order in which a recipe goes through
them. A recipe is a chain of steps, applied left to right:

  fold+powerquant(w=4)
  fold+red+++powerquant(w=4)
  fold+uniform(w=4,a=8);conv1:w=8;layer4.*:skip
  w8a8;for=avx2

Behind ";" stand selections of layers by name: another width, or skip. "for" names
the kind of machine that will run the file, where that matters to its kernels.
Recipes whose steps stand in an order that cannot work, such as pruning behind
quantisation, are refused with one that does.`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage(hinted(fmt.Errorf("unexpected argument %q", args[1]), c))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			methods := compress.Methods()
			if len(args) == 1 {
				m, ok := compress.Find(args[0])
				if !ok {
					_, err := compress.Parse(args[0])
					return usage(err)
				}
				methods = []compress.Info{m}
			}
			if a.json {
				return a.writeJSON(methodsDoc(methods))
			}
			if len(args) == 1 {
				printMethods(a.stdout, methods)
				return nil
			}
			printKinds(a.stdout, methods)
			printPresets(a.stdout)
			return nil
		},
	}
}

func methodsDoc(methods []compress.Info) any {
	var doc struct {
		Kinds    []compress.KindInfo `json:"kinds"`
		Methods  []methodDoc         `json:"methods"`
		Presets  []presetDoc         `json:"presets"`
		Machines []compress.Machine  `json:"machines"`
	}
	for _, m := range methods {
		doc.Methods = append(doc.Methods, methodDoc{m.Name, m.Kind, m.Doc, m.Ref, m.Trial, append([]compress.Param{}, m.Params()...)})
	}
	for _, p := range compress.Presets {
		doc.Presets = append(doc.Presets, presetDoc(p))
	}
	doc.Kinds, doc.Machines = compress.Kinds, compress.Machines()
	return doc
}

// printKinds prints the methods of each kind together.
func printKinds(w io.Writer, methods []compress.Info) {
	for _, k := range compress.Kinds {
		var own []compress.Info
		for _, m := range methods {
			if m.Kind == k.Kind {
				own = append(own, m)
			}
		}
		if own != nil {
			fmt.Fprintf(w, "%s: %s\n\n", strings.ToUpper(string(k.Kind)), k.Doc)
			printMethods(w, own)
		}
	}
}

func printMethods(w io.Writer, methods []compress.Info) {
	for _, m := range methods {
		trial := ""
		if m.Trial {
			trial = " (on trial)"
		}
		fmt.Fprintf(w, "%s%s\n  %s\n  %s\n", m.Name, trial, m.Doc, m.Ref)
		var rows [][]string
		for _, p := range m.Params() {
			doc := p.Doc
			if p.Values != nil {
				doc += ": " + strings.Join(p.Values, ", ")
			}
			rows = append(rows, []string{"    " + p.Name + "=" + p.Default, p.Type, doc})
		}
		table(w, rows)
		fmt.Fprintln(w)
	}
}

func printPresets(w io.Writer) {
	fmt.Fprintln(w, "presets")
	var rows [][]string
	for _, p := range compress.Presets {
		rows = append(rows, []string{"  " + p.Name, p.Recipe, p.Doc})
	}
	table(w, rows)
	fmt.Fprintln(w, "\nmachines")
	rows = nil
	for _, m := range compress.Machines() {
		rows = append(rows, []string{"  ;for=" + m.Name, m.Doc})
	}
	table(w, rows)
}
