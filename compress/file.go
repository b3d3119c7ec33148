package compress

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
)

// ParseFile reads a recipe file in YAML:
//
//	steps:
//	  - fold
//	  - uniform: {w: 4, a: 8}
//	layers:
//	  - {match: "layer4.*", skip: true}
//	  - {match: conv1, w: 8}
//	for: avx2
//
// A step is written as on the command line or as a mapping from the method to
// its parameters; a single selection needs no list. Unknown keys are errors.
func ParseFile(text []byte) (*Recipe, error) {
	var doc struct {
		Steps  []any  `yaml:"steps"`
		Layers any    `yaml:"layers"`
		For    string `yaml:"for"`
	}
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("recipe file: not a text")
	}
	if err := yaml.UnmarshalWithOptions(text, &doc, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("recipe file: %s", strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	var parts []string
	for i, s := range doc.Steps {
		part, err := stepText(s)
		if err != nil {
			return nil, fmt.Errorf("recipe file, step %d: %w", i+1, err)
		}
		parts = append(parts, part)
	}
	if parts == nil {
		return nil, fmt.Errorf("recipe file: no steps")
	}
	r, err := Parse(strings.Join(parts, "+"))
	if err != nil {
		return nil, err
	}
	r.For = doc.For
	if r.Layers, err = selections(doc.Layers); err != nil {
		return nil, fmt.Errorf("recipe file, layers: %w", err)
	}
	return r, r.Validate()
}

// stepText is the command-line form of a step of a file.
func stepText(s any) (string, error) {
	switch x := s.(type) {
	case string:
		return x, nil
	case map[string]any:
		if len(x) != 1 {
			return "", fmt.Errorf("a step has one method, this one %d", len(x))
		}
		for name, args := range x {
			list, err := argsText(args)
			if err != nil {
				return "", fmt.Errorf("%s: %w", name, err)
			}
			return name + "(" + list + ")", nil
		}
	}
	return "", fmt.Errorf("%v is neither a step nor a mapping", s)
}

func argsText(args any) (string, error) {
	if args == nil {
		return "", nil
	}
	m, ok := args.(map[string]any)
	if !ok {
		return "", fmt.Errorf("parameters must be a mapping, not %v", args)
	}
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		v := m[k]
		text := fmt.Sprint(v)
		if sub, ok := v.(map[string]any); ok {
			var err error
			if text, err = stepText(sub); err != nil {
				return "", err
			}
		}
		out = append(out, k+"="+text)
	}
	return strings.Join(out, ","), nil
}

func selections(doc any) ([]Selection, error) {
	if doc == nil {
		return nil, nil
	}
	if _, single := doc.(map[string]any); single {
		doc = []any{doc}
	}
	text, err := yaml.Marshal(doc)
	if err != nil {
		return nil, err
	}
	var out []Selection
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&out); err != nil {
		return nil, fmt.Errorf("%s", strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	return out, nil
}
