package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"pare"
	"pare/dataset"
	"pare/eval"
	"pare/internal/assets"
	"pare/internal/atomicfile"
	"pare/internal/npy"
	"pare/tensor"
)

// exported describes a network and its samples to other tools.
type exported struct {
	Name  string `json:"name"`
	File  string `json:"file"` // the network, an absolute path
	Task  string `json:"task"`
	Data  string `json:"data"` // what the calibration samples are
	Batch int    `json:"batch"`
	// Spec are the calibration samples as pare opens them, the first Samples of them.
	Spec    string `json:"spec"`
	Samples int    `json:"samples"`
}

// export writes the samples that the networks of the set are measured on, and
// others to calibrate with, as pare feeds them: folder/NETWORK/network.json, and
// beside it evaluation and calibration with INPUT.npy for every input and
// targets.npy with classes or scores.
func (s *set) export(ctx context.Context, w wishes) error {
	dir, err := filepath.Abs(assets.Dir())
	if assets.Dir() == "" || err != nil {
		return fmt.Errorf("the assets are missing; set PARE_ASSETS to their folder")
	}
	for _, n := range s.networks {
		if !chosen(n.name, w.networks) {
			continue
		}
		n.samples = cmp.Or(w.samples, n.samples)
		if err := n.export(ctx, dir, filepath.Join(w.export, n.name)); err != nil {
			return fmt.Errorf("%s: %w", n.name, err)
		}
	}
	return nil
}

func (n network) export(ctx context.Context, dir, folder string) error {
	c, err := sees{samples: everySample}.of(n)
	if err != nil {
		return err
	}
	file := filepath.Join(dir, n.file)
	m, err := pare.Load(file)
	if err != nil {
		return err
	}
	defer m.Close()
	set, err := m.OpenData(n.spec(dir))
	if err != nil {
		return err
	}
	if err := writeSamples(ctx, m, set, 0, dataset.Head(set, n.samples).Len(), filepath.Join(folder, "evaluation")); err != nil {
		return err
	}
	n.data = c.path
	others, err := m.OpenData(n.spec(dir))
	if err != nil {
		return err
	}
	if err := writeSamples(ctx, m, others, c.lo, c.hi, filepath.Join(folder, "calibration")); err != nil {
		return err
	}
	e := exported{n.name, file, string(set.Task()), c.String(), cmp.Or(n.batch, eval.DefaultBatch), n.spec(dir), c.hi}
	return atomicfile.Write(filepath.Join(folder, "network.json"), func(w io.Writer) error { return json.NewEncoder(w).Encode(e) })
}

func writeSamples(ctx context.Context, m *pare.Model, set dataset.Set, lo, hi int, folder string) error {
	b, err := set.Batch(ctx, lo, hi)
	if err != nil {
		return err
	}
	arrays, _, err := eval.Bind(m.IR().Graph.Inputs, b, hi-lo)
	if err != nil {
		return err
	}
	if arrays["targets"] != nil {
		return fmt.Errorf("an input has the name of the targets")
	}
	if arrays["targets"] = targets(b); arrays["targets"] == nil {
		return fmt.Errorf("the data have neither classes nor scores")
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	for name, t := range arrays {
		path := filepath.Join(folder, name+".npy")
		if err := atomicfile.Write(path, func(w io.Writer) error { return npy.Write(w, t) }); err != nil {
			return err
		}
	}
	return nil
}

// targets are the classes or scores of a batch; nil where it has neither.
func targets(b dataset.Batch) *tensor.Tensor {
	if b.Scores != nil {
		return tensor.Of([]int{len(b.Scores)}, b.Scores)
	}
	if b.Labels == nil {
		return nil
	}
	out := make([]int64, len(b.Labels))
	for i, k := range b.Labels {
		out[i] = int64(k)
	}
	return tensor.Of([]int{len(out)}, out)
}
