//go:build unix

package onnx

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// externally is a model with one constant of 4 bytes in another file.
func externally(t *testing.T, entries ...string) []byte {
	text := `name: "w" data_type: 2 dims: 4 data_location: EXTERNAL`
	for i := 0; i < len(entries); i += 2 {
		text += fmt.Sprintf(` external_data { key: %q value: %q }`, entries[i], entries[i+1])
	}
	return inGraph(t, `initializer { `+text+` }`)
}

func TestExternalData(t *testing.T) {
	dir := t.TempDir()
	write := func(name, data string) {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("model/w.bin", "0123456789")
	write("model/sub/four.bin", "abcd")
	write("model/empty.bin", "")
	write("outside.bin", "secret")
	link := func(to, name string) {
		if err := os.Symlink(to, filepath.Join(dir, "model", name)); err != nil {
			t.Fatal(err)
		}
	}
	link("../outside.bin", "out.lnk")
	link(filepath.Join(dir, "outside.bin"), "abs.lnk")
	link("..", "up")
	link("sub/four.bin", "in.lnk")
	if err := syscall.Mkfifo(filepath.Join(dir, "model", "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		entries []string
		want    string // the data, or part of the error after "!"
	}{
		{[]string{"location", "w.bin", "offset", "2", "length", "4"}, "2345"},
		{[]string{"location", "w.bin", "offset", "6"}, "6789"},
		{[]string{"location", "w.bin", "checksum", "x"}, "0123"},
		{[]string{"location", "./sub/four.bin"}, "abcd"},
		{[]string{"location", "sub/../w.bin"}, "0123"},
		{[]string{"location", "in.lnk"}, "abcd"},
		{[]string{"location", "w.bin", "offset", "7", "length", "4"}, "!7 to 11 of \"w.bin\", which has 10 bytes"},
		{[]string{"location", "w.bin", "length", "5"}, "!needs 4 bytes of data, 5 present"},
		{[]string{"location", "w.bin", "length", "9223372036854775807"}, "!which has 10 bytes"},
		{[]string{"location", "w.bin", "offset", "9223372036854775807", "length", "9223372036854775807"}, "!which has 10 bytes"},
		{[]string{"location", "w.bin", "offset", "-1"}, `!offset "-1"`},
		{[]string{"location", "w.bin", "offset", "x"}, `!offset "x"`},
		{[]string{"location", "empty.bin"}, "!which has 0 bytes"},
		{[]string{"location", "none.bin"}, "!no such file"},
		{[]string{"location", ""}, "!no path inside"},
		{[]string{}, "!no path inside"},
		{[]string{"location", "../outside.bin"}, "!no path inside"},
		{[]string{"location", "sub/../../outside.bin"}, "!no path inside"},
		{[]string{"location", filepath.Join(dir, "model", "w.bin")}, "!no path inside"},
		{[]string{"location", `..\outside.bin`}, "!no path inside"},
		{[]string{"location", `C:w.bin`}, "!no path inside"},
		{[]string{"location", "out.lnk"}, "!escapes"},
		{[]string{"location", "abs.lnk"}, "!escapes"},
		{[]string{"location", "up/outside.bin"}, "!escapes"},
		{[]string{"location", "sub"}, "!not a regular file"},
		{[]string{"location", "pipe"}, "!not a regular file"},
	} {
		data := externally(t, c.entries...)
		path := filepath.Join(dir, "model", "m.onnx")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		m, err := Decode(data, filepath.Join(dir, "model"))
		f, err2 := Open(path)
		if msg, bad := strings.CutPrefix(c.want, "!"); bad {
			for _, err := range []error{err, err2} {
				if err == nil || !strings.Contains(err.Error(), msg) || !strings.Contains(err.Error(), `tensor "w"`) {
					t.Errorf("%q: got %v, want %s", c.entries, err, msg)
				}
			}
			continue
		}
		if err != nil || err2 != nil {
			t.Errorf("%q: %v, %v", c.entries, err, err2)
			continue
		}
		if a, b := m.Graph.Consts[0].Const.Bytes(), f.Model.Graph.Consts[0].Const.Bytes(); string(a) != c.want || string(b) != c.want {
			t.Errorf("%q: got %q and %q, want %q", c.entries, a, b, c.want)
		}
		f.Close()
	}
}
