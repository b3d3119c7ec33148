package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// documents are the fields that the JSON document of every verb has at least;
// "[]" stands for the elements of a list, which must not be empty.
var documents = []struct {
	args   string
	status int
	fields string
}{
	{"inspect net.onnx", 0, `model.path model.bytes model.sha256 model.opset model.params model.macs
		layers[].name layers[].op layers[].params layers[].macs layers[].bytes layers[].compressible layers[].reason layers[].multiplications layers[].additions layers[].repeats.products
		redundancy.weights redundancy.non_zero redundancy.products redundancy.kernels redundancy.distinct_kernels redundancy.unread redundancy.constant
		batch_norms.total batch_norms.foldable batch_norms.kept groups[].id groups[].size groups[].pinned groups[].reason operators[].op inputs[].name outputs[].type warnings`},
	{"compress net.onnx -o out.onnx --recipe uniform(w=4);fc:skip --data cifar10:data.bin --samples 8", 0, `input.path input.bytes input.sha256 input.params input.macs
		output.path output.bytes output.sha256 output.params output.macs recipe seed seconds peak_memory_bytes
		input.multiplications input.additions output.multiplications output.additions
		before.params before.bytes before.macs before.multiplications before.additions
		after.params after.bytes after.macs after.multiplications after.additions
		steps[].step steps[].kind steps[].seconds steps[].before.macs steps[].after.bytes layers[].name layers[].step layers[].format layers[].bits layers[].exponent layers[].orders
		layers[].error_before layers[].error_after layers[].skipped layers[].reason warnings
		eval.model eval.samples eval.top1 eval.top1_interval eval.top5 eval.seconds
		eval.against.model eval.against.agreement eval.against.snr_db eval.against.max_abs_error eval.against.top1`},
	{"compress net.onnx -o out.onnx --recipe red+split(form=split) --bench", 0, `
		steps[].before.multiplications steps[].after.multiplications steps[].after.additions steps[].output.snr_db steps[].output.samples steps[].output.basis
		layers[].before.inputs layers[].before.channels layers[].before.params layers[].before.bytes layers[].before.macs layers[].before.multiplications layers[].before.additions
		layers[].after.non_zero layers[].after.products layers[].after.ones layers[].after.kernels
		time.threads time.runs time.before_ms time.after_ms time.ratio time.ratio_interval[]`},
	{"eval net.onnx --data cifar10:data.bin --against out.onnx", 0, `model data samples top1 top1_interval[] top5 seconds
		against.model against.agreement against.snr_db against.max_abs_error against.top1`},
	{"bench net.onnx --runs 2 --against out.onnx", 0, `model threads batch cpu median_ms min_ms max_ms first_ms runs samples_per_second gops arena_bytes peak_gflops peak_int_gops peak_read_gbs
		steps[].name steps[].op steps[].kernel steps[].ms steps[].share steps[].integer steps[].gops steps[].peak_share steps[].bytes steps[].gbs kernels[].kernel kernels[].steps kernels[].ms kernels[].share
		against.model against.median_ms against.first_ms ratio ratio_interval[]`},
	{"compare net.onnx out.onnx", 0, `layers[].name layers[].snr_db layers[].isolated_snr_db guilty`},
	{"run net.onnx --random", 0, `outputs.y.shape[] outputs.y.type outputs.y.values[]`},
	{"run net.onnx --random --output folder", 0, `outputs.y.shape[] outputs.y.type outputs.y.file`},
	{"methods", 0, `kinds[].kind kinds[].doc methods[].kind methods[].name methods[].doc methods[].ref methods[].params presets[].name presets[].recipe`},
	{"demo --samples 20 -o folder", 0, `folder samples inspection.model.params recipes[].name recipes[].recipe recipes[].file recipes[].bytes recipes[].size
		recipes[].eval.top1 recipes[].eval.against.agreement recipes[].median_ms recipes[].ratio recipes[].ratio_interval[]`},
	{"kernels", 0, `cpu features peak_gflops peak_int_gops peak_read_gbs kernels[].family kernels[].name kernels[].needs kernels[].runs`},
	{"inspect missing.onnx", 1, `error.message error.file error.node error.hint`},
	{"inspect", 2, `error.message error.file error.node error.hint`},
}

func TestJSONFields(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir)
	t.Chdir(dir)
	for _, d := range documents {
		var stdout, stderr bytes.Buffer
		if code := run(append(strings.Fields(d.args), "--json"), &stdout, &stderr); code != d.status {
			t.Errorf("%s: status %d\n%s", d.args, code, stderr.String())
			continue
		}
		dec := json.NewDecoder(&stdout)
		var doc any
		if err := dec.Decode(&doc); err != nil {
			t.Errorf("%s: %v", d.args, err)
			continue
		}
		if dec.More() {
			t.Errorf("%s: more than one document", d.args)
		}
		for _, path := range strings.Fields(d.fields) {
			if err := has(doc, path); err != nil {
				t.Errorf("%s: %s: %v", d.args, path, err)
			}
		}
	}
}

// has walks a path such as "layers[].name" and reports where it ends too early.
func has(doc any, path string) error {
	name, rest, more := strings.Cut(path, ".")
	name, list := strings.CutSuffix(name, "[]")
	object, ok := doc.(map[string]any)
	if !ok {
		return fmt.Errorf("%q is asked of %T", name, doc)
	}
	v, ok := object[name]
	if !ok || v == nil {
		return fmt.Errorf("no %q", name)
	}
	elements := []any{v}
	if list {
		if elements, ok = v.([]any); !ok || len(elements) == 0 {
			return fmt.Errorf("%q is no list with elements", name)
		}
	}
	if !more {
		return nil
	}
	for _, e := range elements {
		if err := has(e, rest); err != nil {
			return err
		}
	}
	return nil
}

// TestEveryVerbHasItsDocument keeps the table above complete.
func TestEveryVerbHasItsDocument(t *testing.T) {
	for _, c := range (&app{stdout: os.Stdout, stderr: os.Stderr}).root().Commands() {
		covered := c.Name() == "help" || c.Name() == "completion"
		for _, d := range documents {
			covered = covered || strings.Fields(d.args)[0] == c.Name()
		}
		if !covered {
			t.Errorf("no JSON document of %q is tested", c.Name())
		}
	}
}
