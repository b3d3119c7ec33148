package main

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"pare/compress"
	"pare/internal/assets"
)

const gradientGolden = "testdata/gradient.txt"

// taught are the recipes whose figures are held, few steps on few samples, each with
// the one that it starts from.
var taught = []struct{ recipe, start string }{
	{"fold+uniform(range=mse,w=4,a=4)", ""},
	{"fold+gptq(w=4,a=4)", "fold+uniform(range=mse,w=4,a=4)"},
	{"fold+adaround(w=4,a=4,steps=20,batch=16)", "fold+uniform(range=mse,w=4,a=4)"},
	{"fold+qdrop(w=4,a=4,steps=20,batch=16)", "fold+uniform(range=mse,w=4,a=4)"},
	{"fold+powerquant(w=4,a=4)", ""},
	{"fold+nupes(w=4,a=4,steps=20,batch=16)", "fold+powerquant(w=4,a=4)"},
}

// Samples that the recipes see and are judged on.
const (
	taughtOn  = 64
	taughtFor = 200
)

// TestGradientGolden holds agreement and error of a few methods that learn, and that
// each is better than what it starts from. Processors add up in different orders, and
// roundings follow: a few samples or a decibel may differ.
func TestGradientGolden(t *testing.T) {
	if testing.Short() {
		t.Skip("measures real networks")
	}
	text, err := os.ReadFile(gradientGolden)
	if err != nil && !*update {
		t.Fatal(err)
	}
	rows, lines := taughtRows(t), []string{}
	for _, c := range taught {
		r, ok := rows[c.recipe]
		if !ok {
			continue
		}
		line := fmt.Sprintf("%s: agreement %.4f snr %.1f", c.recipe, r.Agreement, r.SNR)
		lines = append(lines, line)
		if start, ok := rows[c.start]; ok && r.SNR < start.SNR {
			t.Errorf("%s has %.2f dB, %s, which it starts from, %.2f", c.recipe, r.SNR, c.start, start.SNR)
		}
		if !*update && !nearRecorded(string(text), c.recipe, r) {
			t.Errorf("measured %s; recorded is\n%s(-update records it)", line, text)
		}
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(gradientGolden, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// taughtRows measures the recipes of methods that there are.
func taughtRows(t *testing.T) map[string]row {
	t.Helper()
	n := practiceNetworks()[0]
	assets.Path(t, n.file)
	trial, err := newTrial(t.Context(), n, wishes{samples: taughtFor})
	if err != nil {
		t.Fatal(err)
	}
	defer trial.close()
	out := map[string]row{}
	for _, c := range taught {
		name, _, _ := strings.Cut(strings.TrimPrefix(c.recipe, "fold+"), "(")
		if _, ok := compress.Find(name); !ok {
			continue
		}
		r, err := trial.try(t.Context(), column{name: c.recipe, recipe: c.recipe, sees: sees{samples: taughtOn}})
		if err != nil || r.Error != "" {
			t.Fatalf("%s: %v %s", c.recipe, err, r.Error)
		}
		out[c.recipe] = r
	}
	return out
}

// nearRecorded reports whether a row is within 6 samples and a decibel of what is
// recorded.
func nearRecorded(text, recipe string, r row) bool {
	_, rest, ok := strings.Cut(text, recipe+": ")
	var agreement, snr float64
	if _, err := fmt.Sscanf(rest, "agreement %f snr %f", &agreement, &snr); !ok || err != nil {
		return false
	}
	return math.Abs(agreement-r.Agreement) <= 6.1/taughtFor && math.Abs(snr-r.SNR) <= 1
}
