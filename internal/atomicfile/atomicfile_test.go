package atomicfile_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"pare/internal/atomicfile"
)

func TestWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	say := func(s string, err error) error {
		return atomicfile.Write(path, func(w io.Writer) error {
			if _, e := io.WriteString(w, s); e != nil {
				return e
			}
			return err
		})
	}
	if err := say("one", nil); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := say("two", broken); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "one" {
		t.Errorf("the file holds %q after a failed write", got)
	}
	if err := say("three", nil); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != "three" {
		t.Errorf("the file holds %q", got)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%d files left", len(left))
	}
}

// TestWriteRefusesWhatIsNoFile: what is no regular file stays what it is.
func TestWriteRefusesWhatIsNoFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Skipf("SKIPPED: no sockets in the file system here: %v", err)
	}
	defer l.Close()
	if err := atomicfile.Write(path, func(io.Writer) error { return nil }); err == nil {
		t.Error("a socket was replaced")
	}
	if info, err := os.Lstat(path); err != nil || info.Mode().Type() != os.ModeSocket {
		t.Errorf("the socket is gone: %v %v", info, err)
	}
}
