package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"pare"
	"pare/dataset"
	"pare/internal/fault"
	"pare/sense"
)

const sensitivityHelp = `--sensitivity tells which layers lose most when their weights alone are quantised
(uniform levels, one scale per channel): LOSS is the growth of the loss, measured on
the first --samples of --data (cross entropy with their labels; without labels with
the network's own answers; half the squared error of outputs where the network is no
classifier); with labels, DIVERGES is the divergence from the network's own answers,
which few samples tell better. OUTPUTS is the signal-to-noise ratio of the first
output. Beside them stand estimates from gradients: FISHER, squared gradients times squared changes, GRADIENT,
the sum of gradients times changes, SINGE, weights times gradients, and WEIGHTS, the
change of the weights alone, which is the weak one. The last lines say how the ranks
of layers by each agree with those that were measured. Without --data, samples are made up within
the range of the network's input, which ranks layers less surely.`

// inspectFlags are the options of inspect.
type inspectFlags struct {
	sensitivity      bool
	data, inputRange string
	samples, bits    int
}

func (o *inspectFlags) declare(f *pflag.FlagSet) {
	f.BoolVar(&o.sensitivity, "sensitivity", false, "measure what quantising each layer alone costs")
	f.StringVar(&o.data, "data", "", "with --sensitivity: data to measure on (SPEC)")
	f.StringVar(&o.inputRange, "input-range", "", "with --sensitivity, without data: LO:HI, the range of the network's input, or one pair per channel")
	f.IntVar(&o.samples, "samples", pare.DefaultSensitivitySamples, "with --sensitivity: measure on the first so many samples")
	f.IntVar(&o.bits, "bits", pare.DefaultSensitivityBits, "with --sensitivity: bits of weights, 2 to 8")
}

// check reports what is wrong before the model is read.
func (o *inspectFlags) check(f *pflag.FlagSet) error {
	for _, name := range []string{"data", "input-range", "samples", "bits"} {
		if f.Changed(name) && !o.sensitivity {
			return usage(fault.Hint(fmt.Errorf("--%s says how sensitivity is measured", name), "add --sensitivity"))
		}
	}
	if o.data != "" && o.inputRange != "" {
		return usage(errors.New("choose one of --data and --input-range"))
	}
	if o.data != "" {
		if _, err := dataset.ParseSpec(o.data); err != nil {
			return usage(err)
		}
	}
	return usage(sense.Check(o.bits, o.samples))
}

func (a *app) sensitivity(ctx context.Context, m *pare.Model, o inspectFlags) (*pare.Sensitivity, error) {
	opts := pare.SensitivityOptions{Bits: o.bits, Samples: o.samples, Threads: a.threads, Seed: a.seed, Progress: a.bar.update}
	var err error
	if opts.Input, err = inputRange(o.inputRange); err != nil {
		return nil, err
	}
	if o.data != "" {
		if opts.Data, err = m.OpenData(o.data); err != nil {
			return nil, err
		}
	}
	out, err := m.Sensitivity(ctx, opts)
	if err == nil && o.data != "" {
		out.Data = o.data
	}
	return out, err
}

// lossNames say what LOSS is.
var lossNames = map[sense.Loss]string{
	sense.Labels:  "cross entropy with labels",
	sense.Answers: "cross entropy with the network's own answers",
	sense.Outputs: "half the squared error of the first output",
}

func printSensitivity(w io.Writer, s *pare.Sensitivity) {
	fmt.Fprintf(w, "\nsensitivity to weights of %d bits, one layer at a time, on %d samples (%s); loss: %s\n", s.Bits, s.Samples, s.Data, lossNames[s.Loss])
	rows := [][]string{{"LAYER", "PARAMS", "BYTES", "LOSS", "DIVERGES", "OUTPUTS", "FISHER", "GRADIENT", "SINGE", "WEIGHTS"}}
	for _, l := range s.Layers {
		rows = append(rows, []string{
			l.Name, count(int64(l.Params)), size(l.Bytes), fmt.Sprintf("%+.3g", l.Loss), orDash("%.3g", l.Divergence), decibels(l.SNR),
			orDash("%.3g", l.Fisher), orDash("%.3g", l.Gradient), orDash("%.3g", l.SInGE), fmt.Sprintf("%.3g", l.WeightError),
		})
	}
	rows = append(rows, correlationRow("LOSS", s.Correlation))
	if s.Divergence != nil {
		rows = append(rows, correlationRow("DIVERGES", *s.Divergence))
	}
	table(w, rows)
	if n := len(s.Left); n > 0 {
		var names []string
		for _, l := range s.Left {
			names = append(names, l.Name+" ("+l.Reason+")")
		}
		fmt.Fprintf(w, "left out: %s\n", strings.Join(names, ", "))
	}
	for _, text := range s.Warnings {
		fmt.Fprintf(w, "warning: %s\n", text)
	}
}

func correlationRow(with string, c sense.Correlation) []string {
	return []string{
		"rank correlation with " + with, "", "", "", "", "",
		orDash("%.2f", c.Fisher), orDash("%.2f", c.Gradient), orDash("%.2f", c.SInGE), orDash("%.2f", c.WeightError),
	}
}

// orDash prints a number, or that there is none.
func orDash(format string, x *float64) string {
	if x == nil {
		return "-"
	}
	return fmt.Sprintf(format, *x)
}
