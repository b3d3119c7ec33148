package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// appendRow adds a row to a file of lines.
func appendRow(path string, r row) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	line, err := json.Marshal(r)
	if err == nil {
		_, err = f.Write(append(line, '\n'))
	}
	return errors.Join(err, f.Close())
}

// readLines reads rows, one a line. A last line without an end is what a process
// that was killed was about to write: it is left out.
func readLines(path string) ([]row, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []row
	for b := bufio.NewReader(f); ; {
		line, err := b.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		var r row
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("%s: row %d: %w", path, len(out)+1, err)
		}
		out = append(out, r)
	}
}

// merge puts rows that were measured elsewhere among the figures. Rows of an
// earlier recipe, or that the set does not have, are refused, and failures leave
// figures that there are.
func (s *set) merge(paths []string) error {
	rows, err := readRows(s.golden)
	if err != nil {
		return err
	}
	fresh := 0
	for _, path := range paths {
		lines, err := readLines(path)
		if err != nil {
			return err
		}
		for _, r := range lines {
			if err := s.accepts(r); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if old := find(rows, r.Network, r.column()); r.Error != "" && old != nil && old.Error == "" {
				continue
			}
			printChange(rows, r)
			rows, fresh = s.merged(rows, []row{r}), fresh+1
		}
	}
	fmt.Printf("%d rows\n", fresh)
	return s.write(rows)
}

// accepts reports why a row is none of the set's as it is now.
func (s *set) accepts(r row) error {
	n, c, err := s.at(task{Network: r.Network, Recipe: r.Recipe, Widths: r.Widths, Point: r.Point, Draw: r.Draw})
	if err == nil && !r.current(n, c) {
		err = fmt.Errorf("%s of %s is of %q with %q and %d samples, want %q with %q and %d", r.Recipe+" "+r.Widths+r.Point+r.Draw, r.Network,
			r.Steps, r.Data, r.Samples, c.steps(), c.sees.text(n), n.samples)
	}
	return err
}

// column has what a row is found by.
func (r *row) column() column {
	return column{name: r.Recipe, widths: r.Widths, point: r.Point, draw: r.Draw}
}
