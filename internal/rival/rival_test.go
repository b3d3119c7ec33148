package rival

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test be the other side too.
func TestMain(m *testing.M) {
	switch os.Getenv("RIVAL") {
	case "":
		os.Exit(m.Run())
	case "engine":
		if err := Serve(os.Stdin, os.Stdout, fake{}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case "dies":
		fmt.Fprintln(os.Stderr, "some warning\nout of luck")
		os.Exit(3)
	case "babbles":
		fmt.Println("hello")
		Serve(os.Stdin, os.Stdout, fake{})
	}
}

// fake runs in a millisecond per thread.
type fake struct{}

func (fake) Name() string { return "fake 1.0" }

func (fake) Load(q Request) (func() error, error) {
	if q.Load != "net.onnx" || q.Inputs["x"] != "x.npy" {
		return nil, fmt.Errorf("cannot read %s", q.Load)
	}
	runs := 0
	return func() error {
		if runs++; runs > 4 {
			return errors.New("worn out")
		}
		time.Sleep(time.Duration(q.Threads) * time.Millisecond)
		return nil
	}, nil
}

func start(t *testing.T, kind string) *Rival {
	t.Helper()
	r, err := Start(context.Background(), []string{os.Args[0]}, []string{"RIVAL=" + kind})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestTurns(t *testing.T) {
	r := start(t, "engine")
	if _, err := r.Run(1); err == nil || !strings.Contains(err.Error(), "nothing is loaded") {
		t.Errorf("run before a load: %v", err)
	}
	if err := r.Load("other.onnx", 1, nil); err == nil || !strings.Contains(err.Error(), "cannot read other.onnx") {
		t.Errorf("load of what is not there: %v", err)
	}
	if err := r.Load("net.onnx", 2, map[string]string{"x": "x.npy"}); err != nil {
		t.Fatal(err)
	}
	if r.Engine != "fake 1.0" || r.LoadSeconds <= 0 {
		t.Errorf("engine %q loaded in %v s", r.Engine, r.LoadSeconds)
	}
	s, err := r.Run(3)
	if err != nil || len(s) != 3 || s[0] < 2e-3 {
		t.Errorf("runs of at least 2 ms: %v, %v", s, err)
	}
	if memory("VmHWM:") > 0 && (r.StartBytes <= 0 || r.PeakBytes < r.StartBytes) {
		t.Errorf("memory from %d to %d", r.StartBytes, r.PeakBytes)
	}
	if _, err := r.Run(3); err == nil || !strings.Contains(err.Error(), "worn out") {
		t.Errorf("failing run: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestDeath(t *testing.T) {
	err := start(t, "dies").Load("net.onnx", 1, nil)
	if err == nil || !strings.Contains(err.Error(), "exit status 3: out of luck") {
		t.Error(err)
	}
	err = start(t, "babbles").Load("net.onnx", 1, nil)
	if err == nil || !strings.Contains(err.Error(), `answered "hello\n"`) {
		t.Error(err)
	}
}

func TestStart(t *testing.T) {
	if _, err := Start(context.Background(), nil, nil); err == nil {
		t.Error("no command was started")
	}
	if _, err := Start(context.Background(), []string{"./no-such-engine"}, nil); err == nil {
		t.Error("what does not exist was started")
	}
	ctx, cancel := context.WithCancel(context.Background())
	r, err := Start(ctx, []string{os.Args[0]}, []string{"RIVAL=engine"})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := r.Load("net.onnx", 1, nil); err == nil {
		t.Error("a killed engine answered")
	}
}
