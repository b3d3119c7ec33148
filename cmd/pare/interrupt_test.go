package main

import (
	"bytes"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestInterrupt stops long work and looks at what is left behind.
func TestInterrupt(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir)
	t.Chdir(dir)
	before := names(t)
	// The signal must not end the test itself while no command listens.
	own := make(chan os.Signal, 100)
	signal.Notify(own, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(own)

	data := "cifar10:" + strings.Repeat("data.bin,", 1000) + "data.bin"
	for name, args := range map[string][]string{
		"bench":    {"bench", "net.onnx", "--runs", "1000000000"},
		"eval":     {"eval", "net.onnx", "--data", data},
		"compress": {"compress", "net.onnx", "-o", "out.onnx", "--recipe", "uniform(w=4)", "--data", data, "--samples", "1"},
	} {
		for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
			var stdout, stderr bytes.Buffer
			done := make(chan int)
			go func() { done <- run(args, &stdout, &stderr) }()
			if code := signalUntil(t, done, sig); code != exitInterrupted {
				t.Errorf("%s: status %d: %s", name, code, stderr.String())
			}
			if stderr.String() != "error: interrupted\n" || stdout.Len() > 0 {
				t.Errorf("%s: stdout %q, stderr %q", name, stdout.String(), stderr.String())
			}
		}
	}
	if after := names(t); after != before {
		t.Errorf("the folder holds %s, before %s", after, before)
	}
}

// signalUntil sends a signal to this process again and again until done.
func signalUntil(t *testing.T, done chan int, sig os.Signal) int {
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for {
		select {
		case code := <-done:
			return code
		case <-time.After(20 * time.Millisecond):
			if err := self.Signal(sig); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func names(t *testing.T) string {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return strings.Join(out, " ")
}
