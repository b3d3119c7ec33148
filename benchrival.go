package pare

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"pare/internal/atomicfile"
	"pare/internal/npy"
	"pare/internal/rival"
	"pare/tensor"
)

// foreign is a model's file in the engine of another process.
type foreign struct {
	rival *rival.Rival
	name  string
}

func newForeign(ctx context.Context, command []string, path string, in map[string]*tensor.Tensor, threads int) (*foreign, error) {
	if path == "" {
		return nil, errors.New("a model that was not loaded from a file cannot be timed in another engine")
	}
	folder, err := os.MkdirTemp("", "pare-inputs-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	files, err := writeInputs(folder, in)
	if err != nil {
		return nil, err
	}
	r, err := rival.Start(ctx, command, nil)
	if err != nil {
		return nil, fmt.Errorf("starting the engine to compare with: %w", err)
	}
	c := &foreign{r, strings.Join(command, " ")}
	if err := r.Load(path, threads, files); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// writeInputs writes tensors to .npy files and returns these by name.
func writeInputs(folder string, in map[string]*tensor.Tensor) (map[string]string, error) {
	files := map[string]string{}
	for name, t := range in {
		files[name] = filepath.Join(folder, fmt.Sprintf("%d.npy", len(files)))
		if err := atomicfile.Write(files[name], func(w io.Writer) error { return npy.Write(w, t) }); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func (c *foreign) once(context.Context) (float64, error) {
	s, err := c.rival.Run(1)
	if err != nil {
		return 0, err
	}
	return s[0], nil
}

func (c *foreign) about() Timing {
	return Timing{Model: c.name, Engine: c.rival.Engine, FirstMS: c.rival.LoadSeconds * 1e3}
}

func (c *foreign) close() { c.rival.Close() }
