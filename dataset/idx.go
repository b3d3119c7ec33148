package dataset

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// idx is the MNIST family: a file of images (N, rows, columns of bytes) and a
// file of labels (N bytes), either of them perhaps gzipped.
type idx struct {
	prepare
	rows, cols int
	images     []byte
	labels     []byte
}

func openIDX(s Spec) (Set, error) {
	p, err := parsePrepare(s.query)
	if err != nil {
		return nil, err
	}
	set := &idx{prepare: p}
	for _, dir := range s.Paths {
		if err := set.add(dir); err != nil {
			return nil, err
		}
	}
	return set, nil
}

func (s *idx) add(dir string) error {
	img, err := oneFile(dir, "images")
	if err != nil {
		return err
	}
	lab, err := oneFile(dir, "labels")
	if err != nil {
		return err
	}
	shape, pix, err := readIDX(img, 3)
	if err != nil {
		return err
	}
	count, labels, err := readIDX(lab, 1)
	if err != nil {
		return err
	}
	if count[0] != shape[0] {
		return fmt.Errorf("%s: %d images but %d labels", dir, shape[0], count[0])
	}
	if len(s.images) > 0 && (s.rows != shape[1] || s.cols != shape[2]) {
		return fmt.Errorf("%s: images of another size", dir)
	}
	s.rows, s.cols = shape[1], shape[2]
	s.images, s.labels = append(s.images, pix...), append(s.labels, labels...)
	return nil
}

// oneFile finds the file whose name contains word; of several (training and
// test data in one folder) the test files are meant.
func oneFile(dir, word string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	var found []string
	for _, e := range entries {
		if strings.Contains(e.Name(), word) {
			found = append(found, e.Name())
		}
	}
	if i := slices.IndexFunc(found, func(n string) bool { return strings.HasPrefix(n, "t10k") || strings.HasPrefix(n, "test") }); len(found) > 1 && i >= 0 {
		found = found[i : i+1]
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%s: want one file with %q in its name (or one that starts with t10k or test), found %d", dir, word, len(found))
	}
	return filepath.Join(dir, found[0]), nil
}

// readIDX reads an IDX file of bytes with the given number of dimensions.
func readIDX(path string, rank int) (shape []int, data []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	head := make([]byte, 4+4*rank)
	if _, err := io.ReadFull(r, head); err != nil || head[0] != 0 || head[1] != 0 || head[2] != 8 || int(head[3]) != rank {
		return nil, nil, fmt.Errorf("%s: not an IDX file of bytes with %d dimensions", path, rank)
	}
	want := int64(1)
	for d := range rank {
		n := int(binary.BigEndian.Uint32(head[4+4*d:]))
		if n == 0 || want > 1<<36/int64(n) {
			return nil, nil, fmt.Errorf("%s: dimension %d is %d", path, d, n)
		}
		shape, want = append(shape, n), want*int64(n)
	}
	var buf bytes.Buffer
	if got, err := io.CopyN(&buf, r, want); err != nil {
		return nil, nil, fmt.Errorf("%s: %d of %d bytes present", path, got, want)
	}
	return shape, buf.Bytes(), nil
}

func (s *idx) Len() int         { return len(s.labels) }
func (s *idx) Task() Task       { return Classification }
func (s *idx) Prepared() string { return s.String() }

func (s *idx) Batch(ctx context.Context, lo, hi int) (Batch, error) {
	size := s.rows * s.cols
	return s.batch(ctx, lo, hi, func(i int) (pixels, int, error) {
		pix, err := s.crop(pixels{s.cols, s.rows, [][]uint8{s.images[i*size : (i+1)*size]}})
		return pix, int(s.labels[i]), err
	})
}
