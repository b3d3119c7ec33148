package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

const peersHead = `
## Other tools

Columns with data in brackets are other tools that x/peers ran on the same samples, each with its defaults but for what
its call says and with batch-norms folded first. Those that need data saw some that are not tested; those that need
none have the network alone, like pare. Their seconds are the tool's own, without start-up and imports.

`

// peersFile holds what x/peers measured of other tools on the samples of -export.
const peersFile = "results/peers.json"

// peerRow is what another tool made of a network. Recipe names the column and
// the data that the tool needed, Steps its call.
type peerRow struct {
	row
	Tool string `json:"tool"` // with its version
	Data string `json:"data"`
	// Calibration counts the samples that the tool saw; 0 where it needs none.
	Calibration int `json:"calibration"`
	// Measured says what ran the file for the row's figures: exact, ONNX Runtime
	// with its optimisations off; run, as it comes; openvino, OpenVINO as it comes.
	Measured string `json:"measured"`
	// AsRun are the figures of ONNX Runtime as it comes, beside exact ones.
	AsRun      *asRun  `json:"as_run,omitempty"`
	CPUSeconds float64 `json:"cpu_seconds"`
	PeakBytes  int64   `json:"peak_bytes"` // of the process that compressed
}

type asRun struct {
	Top1      *float64 `json:"top1,omitempty"`
	Spearman  *float64 `json:"spearman,omitempty"`
	Cosine    *float64 `json:"cosine,omitempty"`
	Agreement float64  `json:"agreement"`
}

// peers is the file peersFile; the zero value where it is missing.
type peers struct {
	// Floats are the figures of the float networks under ONNX Runtime.
	Floats []row      `json:"floats"`
	Rows   []peerRow  `json:"rows"`
	Times  []peerTime `json:"times"`
	// Learned are methods that learn, of the tools and of pare, on as many processors
	// of the same machine.
	Learned []lesson `json:"learned"`
}

// lesson is what a tool's method that learns made of a network. Recipe is unused.
type lesson struct {
	row
	Tool       string  `json:"tool"`   // with its version
	Method     string  `json:"method"` // as the tables call it
	Data       string  `json:"data"`
	Iterations int     `json:"iterations"` // of each layer or block; 0 for methods without
	CPUSeconds float64 `json:"cpu_seconds"`
	PeakBytes  int64   `json:"peak_bytes"`
}

// tool is the tool's name without its version.
func (l lesson) tool() string {
	name, _, _ := strings.Cut(l.Tool, " ")
	return name
}

// lesson is what a tool made of the network of another lesson by the same method;
// nil where it was not measured.
func (p peers) lesson(tool string, like lesson) *lesson {
	for i := range p.Learned {
		if l := &p.Learned[i]; l.tool() == tool && l.Network == like.Network && l.Widths == like.Widths && l.Method == like.Method {
			return l
		}
	}
	return nil
}

func readPeers() (peers, error) {
	var out peers
	text, err := os.ReadFile(peersFile)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(text, &out); err != nil {
		return out, fmt.Errorf("%s: %w", peersFile, err)
	}
	return out, nil
}

// methods are the columns of a network, in the order of their rows.
func (p peers) methods(network string) []method {
	var out []method
	for _, r := range p.Rows {
		m := method{name: r.Recipe}
		if r.Network == network && !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out
}

// rows are the figures of all networks in the form of the set's own.
func (p peers) rows() []row {
	var out []row
	for _, r := range p.Rows {
		out = append(out, r.row)
	}
	return out
}

// write lists the calls behind the columns, and what compression costs.
func (p peers) write(b *strings.Builder) {
	if len(p.Rows) == 0 {
		return
	}
	b.WriteString(peersHead)
	var seen []string
	for _, r := range p.Rows {
		line := fmt.Sprintf("- %s at %s: `%s`, %s\n", strings.TrimSuffix(r.Recipe, " ("+r.Data+")"), r.Widths, r.Steps, r.Tool)
		if !slices.Contains(seen, line) {
			b.WriteString(line)
			seen = append(seen, line)
		}
	}
	b.WriteString(p.runners())
	p.writeTimes(b)
}

// runners says what ran the files, and how far ONNX Runtime as it comes is from
// the figures shown.
func (p peers) runners() string {
	most, count := 0.0, map[string]int{}
	for _, r := range p.Rows {
		count[r.Measured]++
		if r.AsRun != nil {
			most = max(most, points(r.Top1, r.AsRun.Top1), points(r.Spearman, r.AsRun.Spearman))
		}
	}
	return fmt.Sprintf(`
Of the files, %d ran in ONNX Runtime with its optimisations off; as it comes, on a machine with VNNI, its figures are
at most %.1f points from those shown (peers.json has both). %d ran as it comes alone, %d in OpenVINO, which alone reads
them.
`, count["exact"], most, count["run"], count["openvino"])
}

// points is the distance of two figures, 0 where one is missing.
func points(a, b *float64) float64 {
	if a == nil || b == nil {
		return 0
	}
	return 100 * max(*a-*b, *b-*a)
}
