package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"pare/internal/atomicfile"
)

// ID says which work a result belongs to: a hash of all that it depends on.
type ID [sha256.Size]byte

// IDOf hashes a list of facts. Where one ends and the next begins counts.
func IDOf(facts ...string) ID {
	h := sha256.New()
	for _, f := range facts {
		fmt.Fprintf(h, "%d:%s", len(f), f)
	}
	return ID(h.Sum(nil))
}

// An entry is magic, the ID, the hash of the body and the body, which is a gob.
const (
	magic  = "pare journal 1\n"
	suffix = ".part"
	header = len(magic) + 2*sha256.Size
)

// errDamaged: an entry is not what was written.
var errDamaged = errors.New("is damaged")

// path is the file of a key of some work.
func path(dir string, id ID, key string) string {
	name := IDOf(string(id[:]), key)
	return filepath.Join(dir, hex.EncodeToString(name[:16])+suffix)
}

// Load reads the entry of a key into what into points to. Where there is none, found
// is false; where there is one that cannot be used, err says why, and *into is the
// zero value.
func Load(dir string, id ID, key string, into any) (found bool, err error) {
	file := path(dir, id, key)
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	v := reflect.ValueOf(into).Elem()
	v.SetZero()
	if err := decode(data, id, into); err != nil {
		v.SetZero()
		return false, fmt.Errorf("%s %w", file, err)
	}
	return true, nil
}

func decode(data []byte, id ID, into any) error {
	if len(data) < header || string(data[:len(magic)]) != magic || ID(data[len(magic):]) != id {
		return errDamaged
	}
	body := data[header:]
	if sha256.Sum256(body) != [sha256.Size]byte(data[len(magic)+sha256.Size:]) {
		return errDamaged
	}
	if err := gob.NewDecoder(bytes.NewReader(body)).Decode(into); err != nil {
		return fmt.Errorf("holds something else: %w", err)
	}
	return nil
}

// Keep writes what from points to as the entry of a key. The folder is made where it
// is missing.
func Keep(dir string, id ID, key string, from any) error {
	var body bytes.Buffer
	if err := gob.NewEncoder(&body).Encode(from); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	return atomicfile.Write(path(dir, id, key), func(w io.Writer) error {
		sum := sha256.Sum256(body.Bytes())
		_, err := fmt.Fprintf(w, "%s%s%s", magic, id[:], sum[:])
		if err == nil {
			_, err = body.WriteTo(w)
		}
		return err
	})
}

// Entries counts the entries in a folder: those of the given works, and others.
func Entries(dir string, of ...ID) (own, other int) {
	for _, file := range entries(dir) {
		if id, ok := idOf(file); ok && slices.Contains(of, id) {
			own++
		} else {
			other++
		}
	}
	return own, other
}

// idOf reads whose entry a file is.
func idOf(file string) (id ID, ok bool) {
	f, err := os.Open(file)
	if err != nil {
		return id, false
	}
	defer f.Close()
	start := make([]byte, header)
	if _, err := io.ReadFull(f, start); err != nil || string(start[:len(magic)]) != magic {
		return id, false
	}
	return ID(start[len(magic):]), true
}

// entries lists the files of entries.
func entries(dir string) []string {
	list, _ := os.ReadDir(dir) // no folder, no entries
	var out []string
	for _, e := range list {
		if strings.HasSuffix(e.Name(), suffix) && e.Type().IsRegular() {
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	return out
}

// Remove deletes the entries of a folder, what an interrupted Keep left, and the
// folder, unless it holds something else.
func Remove(dir string) error {
	var errs []error
	halves, _ := filepath.Glob(filepath.Join(dir, ".*"+suffix+".*")) // the pattern is well formed
	for _, file := range append(entries(dir), halves...) {
		errs = append(errs, os.Remove(file))
	}
	if left, err := os.ReadDir(dir); err == nil && len(left) == 0 {
		errs = append(errs, os.Remove(dir))
	}
	return errors.Join(errs...)
}
