package dataset

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	_ "image/gif" // registers the format
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"pare/internal/picture"
	"pare/tensor"
)

// maxPixels bounds what a picture's header may ask for.
const maxPixels = 1 << 28

// images is a folder of picture files.
type images struct {
	prepare
	files  []string
	labels []int // -1 when unknown
}

// openImages takes labels from labels.csv, else from sub-folders, which are
// the classes in alphabetical order (or by number where all are numbers), else
// has none.
func openImages(s Spec) (Set, error) {
	p, err := parsePrepare(s.query)
	if err != nil {
		return nil, err
	}
	set := &images{prepare: p}
	for _, dir := range s.Paths {
		if err := set.scan(dir); err != nil {
			return nil, err
		}
	}
	return set, nil
}

func (s *images) scan(dir string) error {
	list := filepath.Join(dir, "labels.csv")
	if _, err := os.Stat(list); err == nil {
		return s.readCSV(dir, list)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var classes []string
	for _, e := range entries {
		if e.IsDir() {
			classes = append(classes, e.Name())
		} else if isPicture(e.Name()) {
			s.add(filepath.Join(dir, e.Name()), -1)
		}
	}
	for c, class := range sortClasses(classes) {
		files, err := os.ReadDir(filepath.Join(dir, class))
		if err != nil {
			return err
		}
		for _, f := range files {
			if isPicture(f.Name()) {
				s.add(filepath.Join(dir, class, f.Name()), c)
			}
		}
	}
	return nil
}

func (s *images) add(file string, label int) {
	s.files, s.labels = append(s.files, file), append(s.labels, label)
}

// sortClasses orders class folders by number where all are numbers.
func sortClasses(names []string) []string {
	numbers := true
	for _, n := range names {
		if _, err := strconv.Atoi(n); err != nil {
			numbers = false
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		if numbers {
			x, _ := strconv.Atoi(a)
			y, _ := strconv.Atoi(b)
			return x - y
		}
		return strings.Compare(a, b)
	})
	return names
}

func (s *images) readCSV(dir, list string) error {
	f, err := os.Open(list)
	if err != nil {
		return err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", list, err)
	}
	for i, row := range rows {
		if len(row) < 2 {
			return fmt.Errorf("%s: line %d: want file,label", list, i+1)
		}
		label, err := strconv.Atoi(strings.TrimSpace(row[1]))
		if err != nil && i == 0 {
			continue // a heading
		}
		if err != nil || label < 0 {
			return fmt.Errorf("%s: line %d: label %q is not a class number", list, i+1, row[1])
		}
		if !filepath.IsLocal(row[0]) {
			return fmt.Errorf("%s: line %d: %q leaves the folder", list, i+1, row[0])
		}
		s.add(filepath.Join(dir, row[0]), label)
	}
	return nil
}

func isPicture(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp":
		return true
	}
	return false
}

func (s *images) Len() int         { return len(s.files) }
func (s *images) Prepared() string { return s.String() }

func (s *images) Task() Task {
	if slices.ContainsFunc(s.labels, func(l int) bool { return l >= 0 }) {
		return Classification
	}
	return Unlabelled
}

func (s *images) Batch(ctx context.Context, lo, hi int) (Batch, error) {
	return s.batch(ctx, lo, hi, func(i int) (pixels, int, error) {
		pix, err := s.load(s.files[i])
		return pix, s.labels[i], err
	})
}

func (p prepare) load(path string) (pixels, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return pixels{}, err
	}
	rgb, err := picture.Decode(data, maxPixels)
	if err != nil {
		return pixels{}, fmt.Errorf("%s: %w", path, err)
	}
	pix, err := p.fit(rgb.Image())
	if err != nil {
		return pixels{}, fmt.Errorf("%s: %w", path, err)
	}
	return pix, nil
}

// Image prepares one picture file as a batch of one, with the options of a
// specification ("resize=256&crop=224&mean=0.5&std=0.5").
func Image(path, options string) (*tensor.Tensor, error) {
	s, err := Spec{Kind: "images"}.WithDefaults(options)
	if err != nil {
		return nil, err
	}
	p, err := parsePrepare(s.query)
	if err != nil {
		return nil, err
	}
	pix, err := p.load(path)
	if err != nil {
		return nil, err
	}
	return p.tensor([]pixels{pix})
}
