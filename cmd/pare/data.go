package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"pare/compress"
	"pare/dataset"
	"pare/internal/fault"
)

// dataHelp explains data specifications in help texts.
var dataHelp = func() string {
	var b strings.Builder
	b.WriteString("Data (SPEC):\n")
	for _, k := range dataset.Kinds() {
		fmt.Fprintf(&b, "  %-26s %s\n", k.Usage, k.Doc)
	}
	b.WriteString(`Options follow as ?resize=256&crop=224&mean=0.5&std=0.5&layout=nhwc&order=bgr
&classes=1001&offset=1 (quote the &). Pixels are scaled to 0..1 before mean and
std. Options left out come from MODEL.data.json, or the model's metadata.`)
	return b.String()
}()

// needData reports a missing or malformed specification.
func needData(spec string) error {
	if spec == "" {
		return usage(fault.Hint(errors.New("--data is missing"), "name the data to measure on, such as --data cifar10:test.bin"))
	}
	_, err := dataset.ParseSpec(spec)
	return usage(err)
}

// inputRange parses "LO:HI", for all channels, or "LO:HI,LO:HI,..." per channel.
func inputRange(text string) (r compress.InputRange, err error) {
	if text == "" {
		return r, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		lo, hi, ok := strings.Cut(part, ":")
		l, errLo := strconv.ParseFloat(lo, 64)
		h, errHi := strconv.ParseFloat(hi, 64)
		if !ok || errLo != nil || errHi != nil || !(l < h) {
			return r, usage(fmt.Errorf("--input-range %s: want LO:HI with LO below HI, or one such pair per channel separated by commas", text))
		}
		r.Lo, r.Hi = append(r.Lo, l), append(r.Hi, h)
	}
	return r, nil
}

// shapes parses "NAME=1x3x224x224" flags.
func shapes(list []string) (map[string][]int, error) {
	out := map[string][]int{}
	for _, text := range list {
		name, dims, ok := strings.Cut(text, "=")
		if !ok {
			return nil, usage(fmt.Errorf("--shape %s: want NAME=1x3x224x224", text))
		}
		out[name] = []int{}
		for d := range strings.SplitSeq(dims, "x") {
			n, err := strconv.Atoi(d)
			if err != nil || n < 0 {
				return nil, usage(fmt.Errorf("--shape %s: %q is not a size", text, d))
			}
			out[name] = append(out[name], n)
		}
	}
	return out, nil
}

// missed turns unmet goals into an error.
func missed(unmet []string) error {
	if len(unmet) == 0 {
		return nil
	}
	return missedError{fmt.Errorf("goal not met: %s", strings.Join(unmet, "; "))}
}
