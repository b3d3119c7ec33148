package ort

import (
	"errors"
	"fmt"
	"os"
	"sync"

	ortgo "github.com/yalue/onnxruntime_go"
)

// ErrNoLibrary is returned where PARE_ORT_LIB does not name ONNX Runtime's
// shared library.
var ErrNoLibrary = errors.New("set PARE_ORT_LIB to ONNX Runtime's shared library (libonnxruntime.so, from the npm package onnxruntime-node)")

var start = sync.OnceValue(func() error {
	lib := os.Getenv("PARE_ORT_LIB")
	if lib == "" {
		return ErrNoLibrary
	}
	if _, err := os.Stat(lib); err != nil {
		return fmt.Errorf("%w: %w", ErrNoLibrary, err)
	}
	ortgo.SetSharedLibraryPath(lib)
	// Warnings about old opsets and unused initialisers say nothing here.
	if err := ortgo.InitializeEnvironment(ortgo.WithLogLevelError()); err != nil {
		return fmt.Errorf("ONNX Runtime: %w", err)
	}
	return nil
})

// Version is the library's version. It reports a missing library.
func Version() (string, error) {
	if err := start(); err != nil {
		return "", err
	}
	return ortgo.GetVersion(), nil
}
