package rival

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strconv"
	"time"
)

// Engine is what Serve times.
type Engine interface {
	// Load compiles a network for the inputs of the request and returns what runs
	// it once.
	Load(q Request) (once func() error, err error)
	// Name is name and version.
	Name() string
}

// Serve answers requests until they end.
func Serve(in io.Reader, out io.Writer, e Engine) error {
	s := server{engine: e, start: memory("VmRSS:")}
	lines, answers := bufio.NewReader(in), json.NewEncoder(out)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := answers.Encode(s.answer(line)); err != nil {
			return err
		}
	}
}

type server struct {
	engine Engine
	once   func() error
	start  int64
}

func (s *server) answer(line []byte) Answer {
	var q Request
	a := Answer{StartBytes: s.start}
	err := json.Unmarshal(line, &q)
	switch {
	case err != nil:
	case q.Load != "":
		a.Engine = s.engine.Name()
		err = a.timed(func() (err error) {
			s.once, err = s.engine.Load(q)
			return err
		})
	case s.once == nil:
		err = errors.New("nothing is loaded")
	default:
		for i := 0; i < q.Run && err == nil; i++ {
			err = a.timed(s.once)
		}
	}
	if err != nil {
		return Answer{Error: err.Error()}
	}
	a.PeakBytes = memory("VmHWM:")
	return a
}

func (a *Answer) timed(f func() error) error {
	start := time.Now()
	err := f()
	a.Seconds = append(a.Seconds, time.Since(start).Seconds())
	return err
}

// memory is a figure of this process in bytes, 0 where the system does not tell.
func memory(field string) int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte(field))
	words := bytes.Fields(rest)
	if len(words) == 0 {
		return 0
	}
	n, err := strconv.ParseInt(string(words[0]), 10, 64)
	if err != nil {
		return 0
	}
	return n << 10
}
