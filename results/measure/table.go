package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// The table stands in the page between these lines.
const (
	tableBegin = "<!-- results: written by results/measure -->\n"
	tableEnd   = "<!-- end of results -->"
)

// insert returns the page with the table of rows in place of the one it has.
func insert(old []byte, rows []row) ([]byte, error) {
	before, rest, ok := bytes.Cut(old, []byte(tableBegin))
	_, after, closed := bytes.Cut(rest, []byte(tableEnd))
	if !ok || !closed {
		return nil, errors.New("the page has no place for results")
	}
	return []byte(string(before) + tableBegin + table(rows) + tableEnd + string(after)), nil
}

const tableHead = `Top-1 accuracy in per cent (mean negative log-likelihood for the language model; lower is better), below it the
share of predictions equal to the original's and the size of the file. Compressed without data; first and last
layers like the others. Data: 5,000 CIFAR-10 test images, 650 ImageNet validation images, 64 sequences of stories.

`

// table has one line per network and one column per recipe.
func table(rows []row) string {
	var b strings.Builder
	b.WriteString(tableHead)
	b.WriteString("| network |")
	for _, r := range recipes {
		fmt.Fprintf(&b, " %s |", r.name)
	}
	b.WriteString("\n| --- |" + strings.Repeat(" --- |", len(recipes)) + "\n")
	for _, n := range networks {
		fmt.Fprintf(&b, "| %s |", n.name)
		for _, r := range recipes {
			fmt.Fprintf(&b, " %s |", cell(find(rows, n.name, r)))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func cell(r *row) string {
	if r == nil || r.Error != "" {
		return "-"
	}
	quality := strings.TrimSuffix(strings.TrimPrefix(r.quality(), "nll "), " %")
	return fmt.Sprintf("%s<br>%.1f %%, %.2f MB", quality, 100*r.Agreement, float64(r.Bytes)/1e6)
}
