package dataset

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
)

// ReadOptions reads preprocessing options from a JSON file, an object such as
// {"crop": 224, "mean": [0.5, 0.5, 0.5], "layout": "nchw"}, and returns them in
// the syntax of a specification. It reports options that no kind of data has.
func ReadOptions(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		return "", fmt.Errorf("%s: want a JSON object of preprocessing options: %w", path, err)
	}
	q := url.Values{}
	for name, v := range doc {
		if !known(name) {
			return "", fmt.Errorf("%s: unknown option %q; there are %s", path, name, strings.Join(imageOptions, ", "))
		}
		if q[name] = []string{optionText(v)}; q[name][0] == "" {
			return "", fmt.Errorf("%s: option %q: want a text, a number or a list of numbers", path, name)
		}
	}
	options := spell(q)
	if err := CheckOptions(options); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return options, nil
}

// CheckOptions reports preprocessing options that make no sense.
func CheckOptions(options string) error {
	q, err := url.ParseQuery(options)
	if err != nil {
		return fmt.Errorf("options %q: %w", options, err)
	}
	for name := range q {
		if !known(name) {
			return fmt.Errorf("options %q: unknown option %q; there are %s", options, name, strings.Join(imageOptions, ", "))
		}
	}
	_, err = parsePrepare(q)
	return err
}

// spell writes options as a query string in which lists stay readable.
func spell(q url.Values) string { return strings.ReplaceAll(q.Encode(), "%2C", ",") }

func known(option string) bool {
	return slices.ContainsFunc(kinds, func(k Kind) bool { return slices.Contains(k.Options, option) })
}

// optionText spells a JSON value as the value of an option; "" when it cannot.
func optionText(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case float64:
		return fmt.Sprint(x)
	case []any:
		var parts []string
		for _, e := range x {
			f, ok := e.(float64)
			if !ok {
				return ""
			}
			parts = append(parts, fmt.Sprint(f))
		}
		return strings.Join(parts, ",")
	}
	return ""
}

// InputRange is the range that pixels have after the preprocessing that options
// describe, per channel where mean or std are: pixels are 0..1, then mean and
// std are applied. It is empty where the options say nothing of pictures.
func InputRange(options string) (lo, hi []float64, err error) {
	q, err := url.ParseQuery(options)
	if err != nil {
		return nil, nil, err
	}
	p, err := parsePrepare(q)
	if err != nil {
		return nil, nil, err
	}
	pictures := false
	for _, name := range []string{"resize", "crop", "mean", "std", "layout", "order"} {
		pictures = pictures || q.Has(name)
	}
	if !pictures {
		return nil, nil, nil
	}
	for c := range max(len(p.mean), len(p.std)) {
		m, s := p.mean[min(c, len(p.mean)-1)], p.std[min(c, len(p.std)-1)]
		lo, hi = append(lo, (0-m)/s), append(hi, (1-m)/s)
	}
	return lo, hi, nil
}

// OptionsJSON spells options as a file that ReadOptions reads.
func OptionsJSON(options string) ([]byte, error) {
	if err := CheckOptions(options); err != nil {
		return nil, err
	}
	q, err := url.ParseQuery(options)
	if err != nil {
		return nil, err
	}
	doc := map[string]string{}
	for name := range q {
		doc[name] = q.Get(name)
	}
	return json.MarshalIndent(doc, "", " ")
}
