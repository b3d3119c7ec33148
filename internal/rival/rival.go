package rival

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Rival is an engine in another process. It serves one caller at a time.
type Rival struct {
	name    string
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	errors  *tail
	stopped bool

	// What the process said of itself.
	Engine      string  // name and version, once a network is loaded
	LoadSeconds float64 // of the last load
	StartBytes  int64   // memory before a network was loaded
	PeakBytes   int64   // most memory so far
}

// Start starts a command, given as its words, with additions to the environment.
// It is killed when ctx ends.
func Start(ctx context.Context, command, environment []string) (*Rival, error) {
	if len(command) == 0 {
		return nil, errors.New("no command")
	}
	r := &Rival{name: strings.Join(command, " "), cmd: exec.CommandContext(ctx, command[0], command[1:]...), errors: &tail{}}
	r.cmd.Env = append(os.Environ(), environment...)
	r.cmd.Stderr = r.errors
	r.cmd.WaitDelay = time.Second
	var err error
	if r.in, err = r.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	r.out = bufio.NewReader(out)
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	return r, nil
}

// Load loads a network's file, to run with so many threads on the inputs in the
// .npy files given by name.
func (r *Rival) Load(file string, threads int, inputs map[string]string) error {
	a, err := r.ask(Request{Load: file, Threads: threads, Inputs: inputs})
	if err != nil {
		return err
	}
	if len(a.Seconds) != 1 {
		return fmt.Errorf("%s: answered a load with %d times", r.name, len(a.Seconds))
	}
	r.Engine, r.LoadSeconds, r.StartBytes = a.Engine, a.Seconds[0], a.StartBytes
	return nil
}

// Run runs the network n times and returns the seconds of each run.
func (r *Rival) Run(n int) ([]float64, error) {
	a, err := r.ask(Request{Run: n})
	if err != nil {
		return nil, err
	}
	if len(a.Seconds) != n {
		return nil, fmt.Errorf("%s: answered %d runs with %d times", r.name, n, len(a.Seconds))
	}
	return a.Seconds, nil
}

func (r *Rival) ask(q Request) (*Answer, error) {
	line, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	if _, err = r.in.Write(append(line, '\n')); err == nil {
		line, err = r.out.ReadBytes('\n')
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.name, r.death())
	}
	var a Answer
	if err := json.Unmarshal(line, &a); err != nil {
		return nil, fmt.Errorf("%s: answered %.60q, which is no answer: %w", r.name, line, err)
	}
	if a.Error != "" {
		return nil, fmt.Errorf("%s: %s", r.name, a.Error)
	}
	r.PeakBytes = max(r.PeakBytes, a.PeakBytes)
	return &a, nil
}

// death is why the process does not answer: how it ended and its last words.
func (r *Rival) death() error {
	err := r.Close()
	if err == nil {
		err = errors.New("ended without an answer")
	}
	if words := r.errors.last(); words != "" {
		return fmt.Errorf("%w: %s", err, words)
	}
	return err
}

// Close lets the process end and waits for it.
func (r *Rival) Close() error {
	if r.stopped {
		return nil
	}
	r.stopped = true
	r.in.Close()
	return r.cmd.Wait()
}

// tail keeps the end of what is written to it.
type tail struct{ kept []byte }

const tailBytes = 4096

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	t.kept = t.kept[max(0, len(t.kept)-tailBytes):]
	return len(p), nil
}

// last is the last line that is not empty.
func (t *tail) last() string {
	lines := strings.Split(strings.TrimSpace(string(t.kept)), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
