package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"pare/eval"
	"pare/internal/atomicfile"
)

// figuresFormat is the version of the figures: it grows when the same file would
// give other ones, so that all are measured again.
const figuresFormat = 1

// row is what was measured of one network and recipe.
type row struct {
	Network   string        `json:"network"`
	Recipe    string        `json:"recipe"`           // name of the column
	Widths    string        `json:"widths,omitempty"` // of the column
	Point     string        `json:"point,omitempty"`  // of the column
	Draw      string        `json:"draw,omitempty"`   // of the column
	Steps     string        `json:"steps,omitempty"`  // the recipe in full
	Data      string        `json:"data,omitempty"`   // that the recipe saw, "" for none
	Format    int           `json:"format,omitempty"` // figuresFormat when it was measured
	File      string        `json:"file,omitempty"`   // digest of the written file
	Samples   int           `json:"samples"`
	Top1      *float64      `json:"top1,omitempty"`
	Interval  *[2]float64   `json:"top1_interval,omitempty"`
	NLL       *float64      `json:"nll,omitempty"`
	Spearman  *float64      `json:"spearman,omitempty"`
	Cosine    *float64      `json:"cosine,omitempty"` // of sentence vectors
	Agreement float64       `json:"agreement"`        // share of equal top classes
	SNR       float64       `json:"snr_db"`
	Bytes     int64         `json:"bytes"`
	BitOps    *float64      `json:"bit_operations,omitempty"` // of a sample; nil where not counted
	Costs     *costs        `json:"costs,omitempty"`          // of points
	Time      *timing       `json:"time,omitempty"`           // of points; differs from run to run
	Seconds   float64       `json:"seconds"`                  // of compression; differs from run to run
	Threads   int           `json:"threads,omitempty"`        // of compression with data
	Machine   string        `json:"machine,omitempty"`        // that the seconds are of
	Peak      int64         `json:"peak_bytes,omitempty"`     // of the process that compressed; 0 where it did other things, too
	Error     string        `json:"error,omitempty"`
	cell      time.Duration // that measuring took in all
}

// current reports whether a row holds the figures of a column as it is now.
func (r *row) current(n network, c column) bool {
	return r.Format == figuresFormat && r.Steps == c.steps() && r.Data == c.sees.text(n) && (n.samples == 0 || r.Samples == n.samples)
}

func (r *row) take(e *eval.Result) {
	r.Samples, r.Top1, r.Interval, r.NLL = e.Samples, rounded(e.Top1), e.Top1Interval, rounded(e.NLL)
	r.Agreement, r.SNR = *rounded(&e.Against.Agreement), *rounded(&e.Against.SNR)
	r.Spearman, r.Cosine = rounded(e.Spearman), rounded(e.Against.Cosine)
	if r.Interval != nil {
		r.Interval = &[2]float64{*rounded(&r.Interval[0]), *rounded(&r.Interval[1])}
	}
}

// rounded keeps four decimals, nil stays nil.
func rounded(x *float64) *float64 {
	if x == nil {
		return nil
	}
	var y float64
	fmt.Sscanf(fmt.Sprintf("%.4f", *x), "%g", &y)
	return &y
}

// String is the row without its name.
func (r row) String() string {
	if r.Error != "" {
		return "failed: " + r.Error
	}
	return fmt.Sprintf("%s, agreement %.2f %%, %.1f dB, %d bytes, %.2f s", r.quality(), 100*r.Agreement, r.SNR, r.Bytes, r.Seconds)
}

// quality is the figure that the network is judged by.
func (r row) quality() string {
	switch {
	case r.Error != "":
		return "failed"
	case r.NLL != nil:
		return fmt.Sprintf("nll %.4f", *r.NLL)
	case r.Spearman != nil:
		return fmt.Sprintf("spearman %.4f", *r.Spearman)
	case r.Top1 != nil:
		return fmt.Sprintf("%.2f %%", 100**r.Top1)
	}
	return "not measured"
}

// same reports whether two rows agree in everything but time.
func (r row) same(o row) bool {
	for _, x := range []*row{&r, &o} {
		x.Seconds, x.Time, x.Format, x.File, x.Threads, x.Machine, x.Peak = 0, nil, 0, "", 0, "", 0
	}
	a, _ := json.Marshal(r) // finite numbers
	b, _ := json.Marshal(o)
	return string(a) == string(b)
}

func readRows(path string) ([]row, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []row
	return out, json.Unmarshal(text, &out)
}

func find(rows []row, network string, c column) *row {
	for i := range rows {
		if r := &rows[i]; r.Network == network && r.Recipe == c.name && r.Widths == c.widths && r.Point == c.point && r.Draw == c.draw {
			return &rows[i]
		}
	}
	return nil
}

// printChange says what a figure was before.
func printChange(old []row, r row) {
	if was := find(old, r.Network, r.column()); was != nil && !was.same(r) {
		fmt.Printf("  was %s\n", was)
	}
}

// merged is every row of the set, the fresh ones where there are any.
func (s *set) merged(old, fresh []row) []row {
	var out []row
	for _, n := range s.networks {
		for _, c := range s.columns {
			if !c.suits(n) {
				continue
			}
			if x := find(fresh, n.name, c); x != nil {
				out = append(out, *x)
			} else if x := find(old, n.name, c); x != nil {
				out = append(out, *x)
			}
		}
	}
	return out
}

// write replaces the figures and their page.
func (s *set) write(rows []row) error {
	err := atomicfile.Write(s.golden, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		return e.Encode(rows)
	})
	if err != nil {
		return err
	}
	return s.writePage(rows)
}

// writePage makes the page of the figures and its pictures.
func (s *set) writePage(rows []row) error {
	old, err := os.ReadFile(s.page)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	fresh, err := s.render(old, rows)
	if err != nil {
		return fmt.Errorf("%s: %w", s.page, err)
	}
	if err := writeBytes(s.page, fresh); err != nil || s.pictures == nil {
		return err
	}
	for _, p := range s.pictures(rows) {
		if err := writeBytes(p.path, p.svg); err != nil {
			return err
		}
	}
	return nil
}

func writeBytes(path string, data []byte) error {
	return atomicfile.Write(path, func(w io.Writer) error { _, err := w.Write(data); return err })
}
