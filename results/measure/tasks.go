package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// task is a cell by its names: a network and a column of a set.
type task struct {
	Set     string `json:"set"`
	Network string `json:"network"`
	Recipe  string `json:"recipe"` // name of the column
	Widths  string `json:"widths,omitempty"`
	Point   string `json:"point,omitempty"`
	Draw    string `json:"draw,omitempty"`
	// Seconds is how long measuring it takes; 0 when unknown.
	Seconds float64 `json:"seconds,omitempty"`
}

func (s *set) task(n network, c column) task {
	return task{Set: s.name, Network: n.name, Recipe: c.name, Widths: c.widths, Point: c.point, Draw: c.draw}
}

// is reports whether the cell is that of a network and column.
func (x task) is(n network, c column) bool {
	return x.Network == n.name && x.Recipe == c.name && x.Widths == c.widths && x.Point == c.point && x.Draw == c.draw
}

// String names the cell in messages.
func (x task) String() string {
	text := x.Network + ": " + x.Recipe
	for _, more := range []string{x.Widths, x.Point, x.Draw} {
		if more != "" {
			text += " " + more
		}
	}
	return text
}

// readCells reads cells, one a line.
func readCells(path string) ([]task, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []task
	for d := json.NewDecoder(bufio.NewReader(f)); ; {
		var x task
		if err := d.Decode(&x); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: cell %d: %w", path, len(out)+1, err)
		}
		out = append(out, x)
	}
}

// dueCells are the cells that were wished for and have no figures; those that were
// named, in their order, whether they have figures or not.
func (s *set) dueCells(w wishes) ([]task, error) {
	if w.cells != nil {
		return w.cells, s.check(w.cells)
	}
	old, err := readRows(s.golden)
	if err != nil {
		return nil, err
	}
	var out []task
	for _, n := range s.networks {
		if !chosen(n.name, w.networks) {
			continue
		}
		for _, c := range s.due(n, old, w) {
			x := s.task(n, c)
			if r := find(old, n.name, c); r != nil {
				x.Seconds = r.Seconds
			}
			out = append(out, x)
		}
	}
	return out, nil
}

// check reports cells that the set does not have.
func (s *set) check(cells []task) error {
	for _, x := range cells {
		if _, _, err := s.at(x); err != nil {
			return err
		}
	}
	return nil
}

// at is the network and column of a cell.
func (s *set) at(x task) (network, column, error) {
	if x.Set != "" && x.Set != s.name {
		return network{}, column{}, fmt.Errorf("%s is a cell of the set %s", x, x.Set)
	}
	for _, n := range s.networks {
		for _, c := range s.columns {
			if x.is(n, c) && c.suits(n) {
				return n, c, nil
			}
		}
	}
	return network{}, column{}, fmt.Errorf("the set %s has no cell %s", s.name, x)
}

// list prints the cells that are due.
func (s *set) list(w wishes, out io.Writer) error {
	cells, err := s.dueCells(w)
	if err != nil {
		return err
	}
	e := json.NewEncoder(out)
	for _, x := range cells {
		if err := e.Encode(x); err != nil {
			return err
		}
	}
	return nil
}
