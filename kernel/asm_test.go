//go:build amd64 && !noasm

package kernel

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAssemblyFeatures reads the generated files: a routine whose name ends
// with AVX2 uses nothing of AVX-512, and every routine clears the upper halves
// before it returns.
func TestAssemblyFeatures(t *testing.T) {
	files, err := filepath.Glob("*_amd64.s")
	if err != nil || len(files) < 7 {
		t.Fatalf("assembly files: %v, %v", files, err)
	}
	wide := regexp.MustCompile(`AVX512|\bZ\d|\bK[0-7]\b|\b[XY](1[6-9]|2\d|3\d)\b`)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, routine := range strings.Split(string(data), "\n// func ")[1:] {
			name, body, _ := strings.Cut(routine, "(")
			body, _, _ = strings.Cut(body, "\nDATA ")
			if bad := wide.FindString(body); strings.HasSuffix(name, "AVX2") && bad != "" {
				t.Errorf("%s: %s uses %s", file, name, bad)
			}
			if !strings.HasSuffix(name, "AVX2") && !strings.HasSuffix(name, "AVX512") {
				t.Errorf("%s: %s names no instruction set", file, name)
			}
			lines := strings.Fields(body)
			for i, word := range lines {
				if word == "RET" && lines[i-1] != "VZEROUPPER" {
					t.Errorf("%s: %s returns without VZEROUPPER", file, name)
				}
			}
		}
	}
}
