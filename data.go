package pare

import (
	"os"
	"path/filepath"
	"strings"

	"pare/compress"
	"pare/dataset"
	"pare/internal/fault"
)

// MetaPreparation is the metadata key under which a model carries the
// preprocessing of its inputs, in the syntax of data specifications.
const MetaPreparation = "pare.data"

// Preparation is how inputs are prepared for a model where a data specification
// does not say.
type Preparation struct {
	Options string `json:"options"` // such as "crop=224&mean=0.5&std=0.5"
	Source  string `json:"source"`  // the file, or "metadata"; "" for none
}

// Preparation finds the preprocessing that belongs to the model: MODEL.data.json
// beside the file (with or without .onnx), the only *.data.json of its folder, or
// the model's metadata.
func (m *Model) Preparation() (Preparation, error) {
	if file := m.preparationFile(); file != "" {
		options, err := dataset.ReadOptions(file)
		return Preparation{options, file}, err
	}
	options, ok := m.ir.Meta(MetaPreparation)
	if !ok {
		return Preparation{}, nil
	}
	if err := dataset.CheckOptions(options); err != nil {
		return Preparation{}, fault.AtFile(m.path, err)
	}
	return Preparation{options, "metadata"}, nil
}

func (m *Model) preparationFile() string {
	if m.path == "" {
		return ""
	}
	for _, stem := range []string{m.path, strings.TrimSuffix(m.path, filepath.Ext(m.path))} {
		if _, err := os.Stat(stem + ".data.json"); err == nil {
			return stem + ".data.json"
		}
	}
	all, _ := filepath.Glob(filepath.Join(filepath.Dir(m.path), "*.data.json")) // the pattern is well formed
	if len(all) == 1 {
		return all[0]
	}
	return ""
}

// OpenData opens data for the model: options that the specification leaves out
// are those of Preparation.
func (m *Model) OpenData(spec string) (dataset.Set, error) {
	p, err := m.Preparation()
	if err != nil {
		return nil, err
	}
	return OpenDataWith(spec, p.Options)
}

// OpenDataWith opens data; options that the specification leaves out are those
// given, such as the ones that other data of the same model were prepared with.
func OpenDataWith(spec, options string) (dataset.Set, error) {
	s, err := dataset.ParseSpec(spec)
	if err != nil {
		return nil, err
	}
	if s, err = s.WithDefaults(options); err != nil {
		return nil, err
	}
	return s.Open()
}

// InputRange is the range of the model's input that follows from preprocessing
// options; "" stands for those of Preparation. It is empty when nothing is known.
func (m *Model) InputRange(options string) (compress.InputRange, error) {
	if options == "" {
		p, err := m.Preparation()
		if err != nil {
			return compress.InputRange{}, err
		}
		options = p.Options
	}
	lo, hi, err := dataset.InputRange(options)
	return compress.InputRange{Lo: lo, Hi: hi}, err
}
