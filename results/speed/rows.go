package main

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"

	"pare/internal/atomicfile"
	"pare/internal/stat"
)

// The files with the figures, relative to the root of the repository.
const (
	resultsFile = "results/speed.json"
	pageFile    = "results/speed.md"
)

// results are all figures.
type results struct {
	Machine string `json:"machine"`
	Peaks   []peak `json:"peaks"`
	Rows    []row  `json:"rows"`
}

// peak is what the machine can do at most with an instruction set and threads:
// operations on float32 and on 8-bit integers, and bytes read, in billions a second.
type peak struct {
	ISA     string  `json:"isa"`
	Threads int     `json:"threads"`
	Float   float64 `json:"gflops"`
	Int     float64 `json:"int_gops"`
	Read    float64 `json:"read_gbs"`
}

// row is a competitor in a cell.
type row struct {
	Network  string     `json:"network"`
	ISA      string     `json:"isa"`
	Threads  int        `json:"threads"`
	Batch    int        `json:"batch"`
	Column   string     `json:"column"`
	Engine   string     `json:"engine,omitempty"` // with its version
	Error    string     `json:"error,omitempty"`
	Rounds   int        `json:"rounds,omitempty"`
	MS       float64    `json:"ms,omitempty"` // median over the rounds
	Interval [2]float64 `json:"ms_interval"`  // of the median, 95 %
	FirstMS  float64    `json:"first_ms,omitempty"`
	// Memory of the process, before it loaded the network and at most.
	StartBytes int64 `json:"start_bytes,omitempty"`
	PeakBytes  int64 `json:"peak_bytes,omitempty"`
	// Share of the peak of the operations that the network's definition needs, of
	// integers where the column computes on those.
	Share float64 `json:"peak_share,omitempty"`
	// Medians over rounds of another's time over this one's, above 1 where this one is
	// faster: the faster peer with floats, the faster peer with integers, pare's float
	// and pare's W8A8.
	Ratios map[string]ratio `json:"ratios,omitempty"`
}

// ratio is a median with its 95 % interval.
type ratio struct {
	Median   float64    `json:"median"`
	Interval [2]float64 `json:"interval"`
}

// Keys of Ratios.
const (
	peerFloat = "peer float"
	peerInt   = "peer int8"
	ownFloat  = "own float"
	ownInt    = "own w8a8"
)

func (r row) of(x cell, column string) bool {
	return r.Network == x.network.name && r.ISA == x.isa && r.Threads == x.threads && r.Batch == x.batch && r.Column == column
}

// find returns the row of a column in a cell, or nil.
func (r *results) find(x cell, column string) *row {
	for i := range r.Rows {
		if r.Rows[i].of(x, column) {
			return &r.Rows[i]
		}
	}
	return nil
}

// keep puts rows in the places of those that they replace.
func (r *results) keep(x cell, rows []row) {
	for _, n := range rows {
		if old := r.find(x, n.Column); old != nil {
			*old = n
		} else {
			r.Rows = append(r.Rows, n)
		}
	}
}

// keepPeak keeps the best of all measurements of a peak: others use the machine too.
func (r *results) keepPeak(p peak) {
	for i, old := range r.Peaks {
		if old.ISA == p.ISA && old.Threads == p.Threads {
			r.Peaks[i] = peak{p.ISA, p.Threads, max(p.Float, old.Float), max(p.Int, old.Int), max(p.Read, old.Read)}
			return
		}
	}
	r.Peaks = append(r.Peaks, p)
}

// rowsOf turns a race into rows; operations are those of a run.
func rowsOf(x cell, racers []*racer, p peak, operations int64) []row {
	others := references(racers)
	var out []row
	for _, r := range racers {
		n := row{Network: x.network.name, ISA: x.isa, Threads: x.threads, Batch: x.batch, Column: r.column.name}
		if r.rival != nil {
			n.Engine, n.StartBytes, n.PeakBytes = r.rival.Engine, r.rival.StartBytes, r.rival.PeakBytes
		}
		if r.err != nil {
			n.Error = r.err.Error()
			out = append(out, n)
			continue
		}
		n.Rounds, n.MS, n.Interval, n.FirstMS = len(r.turns), stat.Median(r.turns)*1e3, stat.MedianInterval(r.turns), r.first*1e3
		n.Interval[0], n.Interval[1] = n.Interval[0]*1e3, n.Interval[1]*1e3
		peak := p.Float
		if r.column.ints {
			peak = p.Int
		}
		n.Share = 1e-6 * float64(operations) / n.MS / peak
		n.Ratios = map[string]ratio{}
		for key, o := range others {
			n.Ratios[key] = ratioOf(o.turns, r.turns)
		}
		out = append(out, n)
	}
	return out
}

// references are those that others are compared with, by key.
func references(racers []*racer) map[string]*racer {
	out := map[string]*racer{}
	for _, r := range racers {
		key := map[string]string{"float": ownFloat, "w8a8": ownInt}[r.column.name]
		if r.column.peer() {
			key = peerFloat
			if r.column.ints {
				key = peerInt
			}
		}
		if best := out[key]; key != "" && r.err == nil && (best == nil || stat.Median(r.turns) < stat.Median(best.turns)) {
			out[key] = r
		}
	}
	return out
}

func ratioOf(theirs, ours []float64) ratio {
	var r []float64
	for i := range min(len(ours), len(theirs)) {
		r = append(r, theirs[i]/ours[i])
	}
	return ratio{stat.Median(r), stat.MedianInterval(r)}
}

func readResults(path string) (*results, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &results{}, nil
	}
	if err != nil {
		return nil, err
	}
	r := &results{}
	return r, json.Unmarshal(raw, r)
}

// write writes the figures and the page of them.
func (r *results) write() error {
	raw, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := writeFile(resultsFile, append(raw, '\n')); err != nil {
		return err
	}
	return writeFile(pageFile, []byte(page(r)))
}

func writeFile(path string, data []byte) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}
