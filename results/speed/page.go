package main

import (
	"fmt"
	"slices"
	"strings"
)

const pageHead = `# Speed

Written by results/speed; doc.go there says how it is run. Every engine runs in a process of its own, on the same
random inputs; they take turns in changing order, with a pause before each turn and a run that does not count where
a run is short. A time is the median over turns of the median of a turn, a ratio the median over rounds of the other's
time divided by pare's: **above 1 pare is faster**. No thread of an engine that waits computes or spins. *better peer*
is the faster one of ONNX Runtime and OpenVINO in that cell; their 8-bit files are their own tools' (see x/peers), and
OpenVINO also runs ONNX Runtime's. On AVX2 alone the peers' 8-bit products saturate; pare's are exact with either
instruction set. Speed does not depend on weights, which are random but for resnet20 and minilm-l6 (128 tokens).

`

// printer writes the page of some results.
type printer struct {
	strings.Builder
	results *results
}

func page(r *results) string {
	p := &printer{results: r}
	p.WriteString(pageHead)
	p.engines()
	for _, batch := range allBatches {
		for _, threads := range allThreads {
			for _, isa := range allISAs {
				p.setting(cell{isa: isa, threads: threads, batch: batch})
			}
		}
	}
	p.failures()
	return p.String()
}

// engines says what was measured on what.
func (p *printer) engines() {
	var names []string
	for _, r := range p.results.Rows {
		if r.Engine != "" && r.Engine != own && !slices.Contains(names, r.Engine) {
			names = append(names, r.Engine)
		}
	}
	slices.Sort(names)
	fmt.Fprintf(p, "Machine: %s. Peers: %s.\n\n", p.results.Machine, strings.Join(names, ", "))
	p.WriteString("| most of what was measured before the cells | threads | GFLOP/s | GOP/s of 8-bit integers | GB/s read |\n| --- | --- | --- | --- | --- |\n")
	for _, k := range p.results.Peaks {
		fmt.Fprintf(p, "| %s | %d | %.0f | %.0f | %.1f |\n", k.ISA, k.Threads, k.Float, k.Int, k.Read)
	}
	p.WriteString("\n")
}

// setting writes the tables of one setting; x is a cell without its network.
func (p *printer) setting(x cell) {
	if !slices.ContainsFunc(p.results.Rows, func(r row) bool { return r.ISA == x.isa && r.Threads == x.threads && r.Batch == x.batch }) {
		return
	}
	fmt.Fprintf(p, "## %s, threads: %d, batch: %d\n\n", x.isa, x.threads, x.batch)
	for _, t := range tables {
		if t.only == nil || t.only(x) {
			p.table(t, x)
		}
	}
	p.dense(x)
}

func (p *printer) table(t table, x cell) {
	var shown []column
	for _, c := range columns {
		x.network = networks[0]
		if t.columns(c) && (c.suits(x) || slices.Contains(c.kinds, transformer)) && !(c.once && !alone(x)) {
			shown = append(shown, c)
		}
	}
	fmt.Fprintf(p, "%s\n\n| network |", t.title)
	for _, c := range shown {
		fmt.Fprintf(p, " %s |", c.title)
	}
	p.WriteString("\n|" + strings.Repeat(" --- |", len(shown)+1) + "\n")
	for _, n := range networks {
		x.network = n
		if n.is(dense) || !p.has(x) {
			continue
		}
		fmt.Fprintf(p, "| %s |", n.name)
		for _, c := range shown {
			text := ""
			if r := p.results.find(x, c.name); r != nil {
				text = "-"
				if r.Error == "" {
					text = t.value(p, x, r)
				}
			}
			fmt.Fprintf(p, " %s |", text)
		}
		p.WriteString("\n")
	}
	p.WriteString("\n")
}

// has reports whether a cell has rows.
func (p *printer) has(x cell) bool {
	return slices.ContainsFunc(p.results.Rows, func(r row) bool { return r.of(x, r.Column) })
}

// failures lists what has no figures, and why.
func (p *printer) failures() {
	why := map[string][]string{}
	var order []string
	for _, r := range p.results.Rows {
		if r.Error == "" {
			continue
		}
		text := fmt.Sprintf("%s: %s", findColumn(r.Column).title, r.Error)
		if why[text] == nil {
			order = append(order, text)
		}
		if name := r.Network + " " + r.ISA; !slices.Contains(why[text], name) {
			why[text] = append(why[text], name)
		}
	}
	if len(order) == 0 {
		return
	}
	p.WriteString("## Without figures\n\n")
	for _, text := range order {
		fmt.Fprintf(p, "- %s (%s)\n", text, strings.Join(why[text], ", "))
	}
}
