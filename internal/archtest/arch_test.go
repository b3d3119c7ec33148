package archtest

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "pare"

// may lists what each package may import from this module, internal packages
// aside. A package without a row fails the test, so that every new package
// gets its place on purpose.
var may = map[string][]string{
	"tensor":                {},
	"ir":                    {"tensor"},
	"op":                    {"tensor", "ir"},
	"onnx":                  {"tensor", "ir", "op"},
	"pass":                  {"tensor", "ir", "op"},
	"format":                {"tensor", "ir", "kernel"},
	"kernel":                {},
	"engine":                {"tensor", "ir", "op", "pass", "format", "kernel"},
	"dataset":               {"tensor"},
	"calib":                 {"tensor", "ir", "dataset", "kernel"},
	"group":                 {"tensor", "ir"},
	"group/grouptest":       {"tensor", "ir", "group"},
	"cost":                  {"tensor", "ir", "op", "format"},
	"grad":                  {"tensor", "ir", "op", "pass", "kernel"},
	"grad/optim":            {"kernel"},
	"train":                 {"tensor", "ir", "op", "pass", "group", "dataset", "calib", "compress", "grad", "grad/optim"},
	"recon":                 {"tensor", "ir", "op", "pass", "format", "dataset", "calib", "compress", "grad", "grad/optim", "synth"},
	"synth":                 {"tensor", "ir", "op", "pass", "dataset", "calib", "grad", "grad/optim"},
	"sense":                 {"tensor", "ir", "op", "pass", "format", "group", "dataset", "calib", "compress", "quant", "prune", "train", "grad", "eval"},
	"compress":              {"tensor", "ir", "op", "pass", "format", "calib", "dataset", "cost"},
	"compress/compresstest": {"tensor", "ir", "format", "compress", "op", "onnx", "engine", "calib", "dataset"},
	"quant":                 {"tensor", "ir", "op", "format", "calib", "compress", "pass", "group", "dataset", "cost", "grad", "grad/optim", "recon", "synth"},
	"prune":                 {"tensor", "ir", "op", "format", "calib", "compress", "pass", "group", "cost", "decompose", "dataset", "train", "grad", "grad/optim"},
	"decompose":             {"tensor", "ir", "op", "format", "calib", "compress", "pass", "group", "cost"},
	"eval":                  {"tensor", "ir", "dataset"},
	"demo":                  {},
	"demo/train":            {"tensor", "ir", "op", "onnx", "demo", "dataset", "calib", "train", "grad", "grad/optim"},
	"report":                {"eval"},
	"results/speed":         {"pare", "compress", "ir", "kernel", "tensor"},
	"results/measure":       {"pare", "compress", "cost", "eval", "dataset", "ir", "op", "tensor"},
	"pare":                  {"tensor", "ir", "onnx", "op", "pass", "group", "format", "kernel", "engine", "dataset", "calib", "compress", "quant", "prune", "decompose", "cost", "eval", "grad", "grad/optim", "train", "recon", "synth", "sense"},
	"cmd/pare":              {"pare", "demo", "report", "results", "dataset", "eval", "compress", "cost", "tensor", "kernel", "engine", "ir", "op"},
	"examples":              {"pare"},
}

func TestLayers(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", module+"/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		pkg := inside(f[0])
		if strings.HasPrefix(pkg, "internal/") || strings.HasPrefix(pkg, "examples/") {
			continue
		}
		allowed, ok := may[pkg]
		if !ok {
			t.Errorf("%s has no row in the layer table", pkg)
		}
		for _, imp := range f[1:] {
			if imp != module && !strings.HasPrefix(imp, module+"/") {
				continue
			}
			if rel := inside(imp); !strings.HasPrefix(rel, "internal/") && !slices.Contains(allowed, rel) {
				t.Errorf("%s must not import %s", pkg, rel)
			}
		}
	}
}

// inside is the path of a package within the module; the root package, the
// façade, is called by the module's name.
func inside(path string) string {
	if path == module {
		return module
	}
	return strings.TrimPrefix(path, module+"/")
}
