// Package costcache keeps measured times in a file of the user's, by what they
// were measured on and of what.
package costcache

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"

	"pare/internal/atomicfile"
)

// None is the path that stands for no file.
const None = "-"

// version is that of the file's form.
const version = 1

// mostBytes is far more than a file of costs holds.
const mostBytes = 64 << 20

// errForeign: what lies at the path is somebody else's and stays as it is.
var errForeign = errors.New("is no file of costs and is left alone")

// content is what the file holds: times by machine and key.
type content struct {
	Version int                           `json:"version"`
	Times   map[string]map[string]float64 `json:"times"`
}

// Cache is the times of one machine. It serves one goroutine.
type Cache struct {
	path, machine string
	old, fresh    map[string]float64
}

// Path is the file in the user's folder of caches.
func Path() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "pare", "costs.json"), nil
}

// Open reads the times of a machine from the file at path, which need not exist:
// "" stands for Path, None for no file. A file that cannot be used counts as empty;
// the note says why, and Save replaces it; what never was a file of costs stays.
func Open(path, machine string) (c *Cache, note string) {
	c = &Cache{path: path, machine: machine, old: map[string]float64{}, fresh: map[string]float64{}}
	if path == "" {
		var err error
		if c.path, err = Path(); err != nil {
			c.path = None
			return c, fmt.Sprintf("costs are not kept: %v", err)
		}
	}
	all, err := c.read()
	if errors.Is(err, errForeign) {
		note = fmt.Sprintf("costs are not kept: %s %v", c.path, err)
		c.path = None
		return c, note
	}
	if err != nil {
		return c, fmt.Sprintf("%s is no file of costs and is made anew: %v", c.path, err)
	}
	maps.Copy(c.old, all.Times[machine])
	return c, ""
}

// read reads the whole file; one that does not exist is empty.
func (c *Cache) read() (content, error) {
	all := content{Version: version, Times: map[string]map[string]float64{}}
	if c.path == None {
		return all, nil
	}
	data, err := document(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return all, err
	}
	var got content
	if err := json.Unmarshal(data, &got); err != nil {
		return all, err
	}
	if got.Version != version {
		return all, fmt.Errorf("version %d, want %d", got.Version, version)
	}
	for _, times := range got.Times {
		for key, ms := range times {
			if !(ms >= 0) || math.IsInf(ms, 0) {
				return all, fmt.Errorf("%q takes %v ms", key, ms)
			}
		}
	}
	if got.Times != nil {
		all.Times = got.Times
	}
	return all, nil
}

// document returns what may be a file of costs, and errForeign for what is none.
func document(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > mostBytes {
		return nil, errForeign
	}
	data, err := os.ReadFile(path)
	if err == nil && len(data) > 0 && data[0] != '{' {
		err = errForeign
	}
	return data, err
}

// Get returns the milliseconds of a key.
func (c *Cache) Get(key string) (ms float64, ok bool) {
	if ms, ok = c.fresh[key]; !ok {
		ms, ok = c.old[key]
	}
	return ms, ok
}

// Put notes the milliseconds of a key.
func (c *Cache) Put(key string, ms float64) { c.fresh[key] = ms }

// Save writes what was noted beside what the file holds by now.
func (c *Cache) Save() error {
	if c.path == None || len(c.fresh) == 0 {
		return nil
	}
	all, _ := c.read() // what cannot be read is replaced
	if all.Times[c.machine] == nil {
		all.Times[c.machine] = map[string]float64{}
	}
	maps.Copy(all.Times[c.machine], c.fresh)
	if err := os.MkdirAll(filepath.Dir(c.path), 0o777); err != nil {
		return err
	}
	return atomicfile.Write(c.path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		return e.Encode(all)
	})
}
