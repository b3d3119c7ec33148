package onnx

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/edsrzf/mmap-go"

	"pare/internal/fault"
	"pare/ir"
)

// external opens the data files beside a model, each once.
type external struct {
	dir   string
	mmap  bool // map the files; else read them
	files map[string][]byte
	maps  []mmap.MMap
}

// find returns the bytes that external_data describes, size of them.
func (x *external) find(where []ir.KV, size int) ([]byte, error) {
	if x == nil {
		return nil, errors.New("its data lie in another file, which is not allowed here")
	}
	var location string
	offset, length := int64(0), int64(-1)
	for _, kv := range where {
		var err error
		switch kv.Key {
		case "location":
			location = kv.Value
		case "offset":
			offset, err = strconv.ParseInt(kv.Value, 10, 64)
		case "length":
			length, err = strconv.ParseInt(kv.Value, 10, 64)
		}
		if err != nil || offset < 0 {
			return nil, fmt.Errorf("external data with %s %q", kv.Key, kv.Value)
		}
	}
	data, err := x.open(location)
	if err != nil {
		return nil, err
	}
	if length < 0 {
		length = int64(size)
	}
	if offset > int64(len(data)) || length > int64(len(data))-offset {
		return nil, fmt.Errorf("external data at %d to %d of %q, which has %d bytes", offset, uint64(offset)+uint64(length), location, len(data))
	}
	return data[offset : offset+length : offset+length], nil
}

// open returns the content of a data file.
func (x *external) open(location string) ([]byte, error) {
	if data, ok := x.files[location]; ok {
		return data, nil
	}
	data, err := x.load(location)
	if err != nil {
		return nil, fmt.Errorf("external data: %w", err)
	}
	if x.files == nil {
		x.files = map[string][]byte{}
	}
	x.files[location] = data
	return data, nil
}

func (x *external) load(location string) ([]byte, error) {
	// A path of another system is as much an attempt to leave the folder here.
	if location == "" || strings.ContainsAny(location, `\:`) || !filepath.IsLocal(location) {
		return nil, fmt.Errorf("location %q is no path inside the model's folder", location)
	}
	root, err := os.OpenRoot(x.dir) // follows no link out of the folder
	if err != nil {
		return nil, err
	}
	defer root.Close()
	// Opening a pipe or device could wait for ever.
	if info, err := root.Stat(location); err != nil {
		return nil, fault.Hint(fmt.Errorf("%q: %w", location, plain(err)), "the data file must lie in the model's folder %s", x.dir)
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is not a regular file", location)
	}
	f, err := root.Open(location)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if !x.mmap {
		return x.readAll(f)
	}
	m, err := mapFile(f)
	if m != nil {
		x.maps = append(x.maps, m)
	}
	return m, err
}

// readAll reads a file as far as the bound for all of them allows.
func (x *external) readAll(f *os.File) ([]byte, error) {
	left := maxRead - x.size()
	data, err := io.ReadAll(io.LimitReader(f, left+1))
	if err == nil && int64(len(data)) > left {
		return nil, fault.Hint(fmt.Errorf("more than %d bytes", int64(maxRead)), "open the model as a file")
	}
	return data, err
}

// mapFile maps a whole file; nil for an empty one.
func mapFile(f *os.File) (mmap.MMap, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	return mmap.Map(f, mmap.RDONLY, 0)
}

// size is the length of all data files together.
func (x *external) size() (n int64) {
	for _, data := range x.files {
		n += int64(len(data))
	}
	return n
}

// close releases the maps.
func (x *external) close() (err error) {
	for i := range x.maps {
		err = errors.Join(err, x.maps[i].Unmap())
	}
	x.maps = nil
	return err
}
