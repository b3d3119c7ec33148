package kernel

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAssemblyFeaturesARM64 reads the generated files: routines name their
// instruction set, and only those that name dot products use them.
func TestAssemblyFeaturesARM64(t *testing.T) {
	files, err := filepath.Glob("*_arm64.s")
	if err != nil || len(files) < 7 {
		t.Fatalf("assembly files: %v, %v", files, err)
	}
	dot := regexp.MustCompile(`// [su]dot `)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, routine := range strings.Split(string(data), "\n// func ")[1:] {
			name, body, _ := strings.Cut(routine, "(")
			if !strings.HasSuffix(name, "NEON") {
				t.Errorf("%s: %s names no instruction set", file, name)
			}
			if dot.MatchString(body) != strings.HasSuffix(name, "DotNEON") {
				t.Errorf("%s: %s uses dot products and does not say so, or says so and uses none", file, name)
			}
			if !strings.Contains(body, "\n\tRET\n") {
				t.Errorf("%s: %s does not return", file, name)
			}
		}
	}
}
