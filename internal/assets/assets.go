// Package assets finds the real networks and data that tests and benchmarks
// measure on. They are not part of the project: PARE_ASSETS names their
// folder, else ../shared/assets beside the repository is used.
package assets

import (
	"os"
	"path/filepath"
	"testing"
)

// Dir is the folder of the assets, or "" when there is none.
func Dir() string {
	if d := os.Getenv("PARE_ASSETS"); d != "" {
		return d
	}
	dir, err := os.Getwd()
	for err == nil {
		if _, e := os.Stat(filepath.Join(dir, "go.mod")); e == nil {
			// Nested modules (x/...) look beside the outermost one.
			d := filepath.Join(dir, "..", "shared", "assets")
			if _, e := os.Stat(filepath.Join(d, "manifest.json")); e == nil {
				return d
			}
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	return ""
}

// Path returns the path of an asset, or skips the test, loudly, where it is
// missing.
func Path(t testing.TB, name string) string {
	t.Helper()
	p := filepath.Join(Dir(), name)
	if _, err := os.Stat(p); Dir() == "" || err != nil {
		t.Skipf("SKIPPED: needs the asset %s; set PARE_ASSETS to the folder that holds it", name)
	}
	return p
}
