package compress_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pare/compress"
	"pare/internal/fault"
	"pare/ir"
)

// Speed is a parameter that methods share.
type Speed struct {
	Rate float64 `json:"rate" doc:"how fast"`
}

// outer is a method with every type of parameter.
type outer struct {
	Count int `json:"count" doc:"how many"`
	Speed
	On   bool            `json:"on" doc:"whether"`
	How  string          `json:"how" doc:"which way" values:"slow|fast|number"`
	Base compress.Nested `json:"base" doc:"what it stands on"`
}

func (o *outer) Validate() error {
	if o.Count < 0 {
		return fmt.Errorf("count=%d is negative", o.Count)
	}
	return nil
}

func (*outer) Apply(context.Context, *ir.Model, *compress.Env) error { return nil }

func init() {
	compress.Register(compress.Info{Name: "outer", Doc: "for tests", New: func() compress.Method {
		return &outer{Count: 3, Speed: Speed{0.5}, How: "slow"}
	}})
	compress.Register(compress.Info{Name: "outer++", Doc: "for tests", New: func() compress.Method { return &louder{} }})
}

// louder has the name of another method and the sign that joins steps, and
// parameters that it shares with others.
type louder struct {
	Quiet
	Loud int `json:"loud" doc:"how loud"`
}

func (*louder) Validate() error { return nil }

func (*louder) Apply(context.Context, *ir.Model, *compress.Env) error { return nil }

// Quiet holds them.
type Quiet struct {
	Hush bool `json:"hush" doc:"whether to be quiet"`
}

func TestCanonical(t *testing.T) {
	for in, want := range map[string]string{
		"copy":                          "copy",
		" copy + copy( ) ":              "copy+copy",
		"outer(count=3)":                "outer",
		"outer(rate=1e6,count=4)":       "outer(count=4,rate=1e+06)",
		"outer(rate=1e+06,count=4)":     "outer(count=4,rate=1e+06)",
		"outer(on=1,how=0.25)":          "outer(on=true,how=0.25)",
		"outer(base=outer(base=copy))":  "outer(base=outer(base=copy))",
		"copy;conv1:w=8; layer4.*:skip": "copy;conv1:w=8;layer4.*:skip",
		"copy;/a/b:0:skip":              "copy;/a/b:0:skip",
		"copy;fc: a=32 ;x:a=4,w=3":      "copy;fc:a=32;x:w=3,a=4",
		"copy; for=avx2 ;fc:skip":       "copy;fc:skip;for=avx2",
		"outer++":                       "outer++",
		" outer++ + copy":               "outer+++copy",
		"outer+++outer+outer++":         "outer+++outer+outer++",
		"outer+outer+++copy":            "outer+outer+++copy",
		"outer++(loud=2)+outer++( )":    "outer++(loud=2)+outer++",
		"outer++(loud=2,hush=true)":     "outer++(hush=true,loud=2)",
		"outer(base=outer++,on=true)":   "outer(on=true,base=outer++)",
		"outer(base=outer++)+outer++":   "outer(base=outer++)+outer++",
		"outer++;conv1:skip":            "outer++;conv1:skip",
	} {
		r, err := compress.Parse(in)
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		if r.String() != want {
			t.Errorf("%q is spelled %q, want %q", in, r, want)
		}
		again, err := compress.Parse(r.String())
		if err != nil || again.String() != want {
			t.Errorf("%q does not survive: %v, %v", want, again, err)
		}
	}
}

// TestMistakes checks that messages say where and what was meant.
func TestMistakes(t *testing.T) {
	for in, want := range map[string]string{
		"":                            "character 1: expected the name",
		"copy+":                       "character 6: expected the name",
		"copi":                        `did you mean "copy"?`,
		"copy+ouder(count=1)":         `character 6: there is no method "ouder", did you mean "outer"?`,
		"outer(cuont=1)":              `outer has no parameter "cuont", did you mean "count"?`,
		"outer(count=x)":              "character 13: count=x is not a whole number",
		"outer(rate=NaN)":             "is not a number",
		"outer(count=1":               `expected "," or ")"`,
		"outer(count=1,count=2)":      "count is given twice",
		"outer(count)":                `expected "=" after count`,
		"outer(how=fats)":             `choose one of slow, fast, number, did you mean "fast"?`,
		"outer(count=-1)":             "outer: count=-1 is negative",
		"outer(base=outer(count=-1))": "count=-1 is negative",
		"copy+w8a8":                   "character 6: the preset w8a8 stands alone",
		"copy)":                       `character 5: unexpected ")"`,
		"outer++copy":                 `character 8: expected "+" between outer++ and the next step`,
		"outer+++":                    "character 9: expected the name",
		"outer++++copy":               "character 9: expected the name",
		"outer+":                      "character 7: expected the name",
		"outer++(laud=1)":             `outer++ has no parameter "laud", did you mean "loud"?`,
		"copi++":                      `character 1: there is no method "copi", did you mean "copy"?`,
		"outer++)":                    `character 8: unexpected ")"`,
		"copy;x":                      "write pattern:skip or pattern:w=8,a=8",
		"copy;x:w=9":                  "w=9 is not in 2..8",
		"copy;x:a=16":                 "a=16 is neither in 2..8 nor 32",
		"copy;x:skip,w=8":             "either skip or a width",
		"copy;x:b=8":                  "write pattern:skip or pattern:w=8,a=8",
		"copy;for=avx1":               `for=avx1: choose one of [avx2], did you mean "avx2"?`,
		"copy;for=":                   "name one kind of machine",
		"copy;for=avx2;for=avx2":      "name one kind of machine",
	} {
		_, err := compress.Parse(in)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", in, err, want)
		}
	}
	_, err := compress.Parse("outer(cuont=1)")
	if _, _, hint := fault.Describe(err); !strings.Contains(hint, "pare methods") {
		t.Errorf("hint %q", hint)
	}
}

func TestFile(t *testing.T) {
	r, err := compress.ParseFile([]byte(`
steps:
  - copy
  - outer: {rate: 0.25, count: 7, base: {outer: {on: true}}}
  - outer(how=fast)
layers:
  - {match: "layer4.*", skip: true}
  - {match: conv1, w: 8}
`))
	if err != nil {
		t.Fatal(err)
	}
	if want := "copy+outer(count=7,rate=0.25,base=outer(on=true))+outer(how=fast);layer4.*:skip;conv1:w=8"; r.String() != want {
		t.Errorf("read as %q, want %q", r, want)
	}
	if r, err = compress.ParseFile([]byte("steps: [outer++, {outer++: {loud: 3}}, copy]")); err != nil || r.String() != "outer+++outer++(loud=3)+copy" {
		t.Errorf("names that end in +: %v, %v", r, err)
	}
	if r, err = compress.ParseFile([]byte("steps: [copy]\nlayers: {match: fc, skip: true}\nfor: avx2")); err != nil || r.String() != "copy;fc:skip;for=avx2" {
		t.Errorf("single selection: %v, %v", r, err)
	}
	for text, want := range map[string]string{
		"steps: [copy]\nlayer: {}":       "layer",
		"steps: []":                      "no steps",
		"steps: [3]":                     "step 1",
		"steps: [{copy: {}, outer: {}}]": "one method",
		"steps: [{outer: 3}]":            "must be a mapping",
		"steps: [copy]\nlayers: {match: a, skip: true, wide: 3}": "wide",
		"steps: [copy]\nlayers: {match: a}":                      "skip or a width",
		"steps: [copy":                                           "recipe file",
	} {
		if _, err := compress.ParseFile([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", text, err, want)
		}
	}
}

func TestParams(t *testing.T) {
	info, _ := compress.Find("outer")
	got := fmt.Sprint(info.Params())
	if want := "[{count int 3 how many []} {rate float 0.5 how fast []} {on bool false whether []} {how word slow which way [slow fast number]} {base step none what it stands on []}]"; got != want {
		t.Errorf("parameters %s", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("copy+outer(count=1,base=outer(rate=2));a*:skip")
	f.Add("outer+++outer++(loud=1)+outer(base=outer++)")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := compress.Parse(text)
		if err != nil {
			return
		}
		again, err := compress.Parse(r.String())
		if err != nil || again.String() != r.String() {
			t.Errorf("%q is spelled %q, which reads as %v, %v", text, r, again, err)
		}
	})
}
