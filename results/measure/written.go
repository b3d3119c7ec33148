package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"

	"pare"
)

// written is a compressed network and its file.
type written struct {
	model   *pare.Model
	report  *pare.Report
	path    string
	digest  string
	bytes   int64
	seconds float64 // of compression
}

// write compresses the network by one column into a file.
func (t *trial) write(ctx context.Context, c column) (*written, error) {
	m, recipe, before := t.original.Clone(), c.recipe, 0.0
	if c.shared != "" {
		part, err := t.part(ctx, c)
		if err != nil {
			return nil, err
		}
		m, recipe, before = part.model.Clone(), strings.TrimPrefix(c.recipe, c.shared+"+"), part.seconds
	}
	rep, err := t.compress(ctx, m, recipe, c)
	if err != nil {
		return nil, err
	}
	path := t.file(c)
	info, err := m.Save(path, pare.SaveOptions{})
	if err != nil {
		return nil, err
	}
	sum, err := digest(path)
	return &written{m, rep, path, sum, info.Bytes, before + rep.Seconds}, err
}

// part is a leading part of recipes, and what it depends on.
type part struct {
	recipe string
	seed   uint64
	sees   sees
}

// part is the result of the shared part of a column's recipe, made once.
func (t *trial) part(ctx context.Context, c column) (*written, error) {
	key := part{c.shared, c.seed, c.sees}
	if p, ok := t.parts[key]; ok {
		return p, nil
	}
	m := t.original.Clone()
	rep, err := t.compress(ctx, m, c.shared, c)
	if err != nil {
		return nil, err
	}
	t.parts[key] = &written{model: m, report: rep, seconds: rep.Seconds}
	return t.parts[key], nil
}

// compress applies a recipe to a model, with the samples that the column sees.
func (t *trial) compress(ctx context.Context, m *pare.Model, recipe string, c column) (*pare.Report, error) {
	input, err := m.InputRange(t.options)
	if err != nil {
		return nil, err
	}
	data, err := c.sees.open(m, t.network)
	if err != nil {
		return nil, err
	}
	o := pare.Options{Input: input, Seed: c.seed, Threads: t.threads}
	if data != nil {
		o.Data, o.Samples = data, data.Len()
	}
	return m.Compress(ctx, recipe, o)
}

// file is where a column's network is written.
func (t *trial) file(c column) string {
	if t.files == "" {
		return filepath.Join(t.scratch, "small.onnx")
	}
	return filepath.Join(t.files, slug(strings.Join([]string{t.name, c.name, c.widths, c.point, c.draw}, " "))+".onnx")
}

// slug is a name that a file can have everywhere.
func slug(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9')
	}), "-")
}

// digest tells files apart.
func digest(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8]), nil
}
