package compress

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"pare/internal/fault"
)

// Recipe is a chain of steps, applied left to right, selections of layers that are
// treated differently, and the kind of machine that the result is for.
type Recipe struct {
	Steps  []Method
	Layers []Selection
	For    string // one of Machines, "" for any
}

// String is the canonical spelling, which Parse reads back: steps joined by
// "+", then ";pattern:skip" or ";pattern:w=8,a=8" for every selection, then
// ";for=avx2".
func (r *Recipe) String() string {
	var b strings.Builder
	for i, m := range r.Steps {
		if i > 0 {
			b.WriteByte('+')
		}
		b.WriteString(stepString(m))
	}
	for _, s := range r.Layers {
		b.WriteString(";" + s.String())
	}
	if r.For != "" {
		b.WriteString(";for=" + r.For)
	}
	return b.String()
}

// StepString is the canonical spelling of one step.
func StepString(m Method) string { return stepString(m) }

// Validate reports the first problem with the steps or selections.
func (r *Recipe) Validate() error {
	if len(r.Steps) == 0 {
		return errors.New("a recipe needs at least one step")
	}
	for _, m := range r.Steps {
		if err := validate(m); err != nil {
			return err
		}
	}
	for _, s := range r.Layers {
		if err := s.validate(); err != nil {
			return err
		}
	}
	if err := r.ordered(); err != nil {
		return err
	}
	_, err := findMachine(r.For)
	return err
}

func validate(m Method) error {
	info, ok := infoOf(m)
	if !ok {
		return fmt.Errorf("%T is not a registered method", m)
	}
	fields, err := params(m)
	if err != nil {
		return err
	}
	for _, f := range fields {
		err := f.words(m)
		if sub, ok := f.value(m).Interface().(Nested); ok && err == nil && sub.Method != nil {
			err = validate(sub.Method)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", info.Name, err)
		}
	}
	if err := m.Validate(); err != nil {
		return fault.Hint(fmt.Errorf("%s: %w", info.Name, err), "pare methods lists what %s accepts", info.Name)
	}
	return nil
}

// Presets are recipes with a name: "w" and the bits of the weights, "a" and those
// of the data, 16 for data that stay in float. Each is the best of those measured
// without data on a residual network, a vision transformer, a network of depthwise
// convolutions and a sentence transformer, at the size that the name promises.
// None relies on batch-norms: what a network does not tell stays in float, and the
// report says so.
var Presets = []Preset{
	{"w8", "fold+uniform(w=8,rounding=squant)+correct", "8-bit weights; nothing else changes"},
	{"w8a8", "fold+uniform(w=8,a=8,rounding=squant)+correct", "8-bit weights and activations, for integer kernels (the default)"},
	{"w6a6", "fold+mixed(base=powerquant(w=6,a=6,top=127,rounding=squant),least=6,budget=6.3,abudget=6.6)+correct", "6-bit weights and activations on power grids; 8 bits for the input, and for weights (5 % more bits) and data (10 %) where it helps most"},
	{"w4a8", "fold+spiq(w=4,a=8)+mixed(base=powerquant(a=8,exponent=layer,aexponent=1,rounding=squant),least=4,budget=4.4)+correct", "4-bit weights on power grids of small integers, 8-bit ones where a tenth more bytes helps most; evenly spaced 8-bit activations: integer kernels take all"},
	{"w4a4", "fold+mixed(base=powerquant(a=4,exponent=layer,aexponent=0.7,regions=false,rounding=squant),least=4,budget=4.4,abudget=5)+correct", "4-bit weights and activations on power grids, 8 bits for the input, and for weights (a tenth more bytes) and data where it helps most; what lies between layers stays in float"},
	{"w4", "fold+mixed(base=codebook(rounding=squant),least=4,budget=4.2)+correct", "4-bit weights on levels chosen per layer, 8 bits in the few layers that need them: 4.2 bits per weight on average, besides scales"},
	{"w4a16", "fold+mixed(base=codebook(rounding=squant),least=4,budget=5)+correct", "4- and 8-bit weights, 5 bits on average: closer to the original than w4"},
	{"w3a16", "fold+mixed(base=codebook(rounding=squant),budget=3.6)+correct", "2-, 4- and 8-bit weights, 3.6 bits on average, as codes of 3 bits have no packed form"},
	{"w2a16", "fold+mixed(base=codebook(rounding=squant),budget=2.7)+correct", "2-bit weights, 4 and 8 bits where it matters most: 2.7 bits on average"},
}

// Preset is a recipe with a name.
type Preset struct{ Name, Recipe, Doc string }

// DefaultPreset is the preset used when no recipe is given.
const DefaultPreset = "w8a8"

// Parse reads a recipe, or the name of a preset in the place of its steps. Errors
// say where in the text the problem is and what was probably meant.
func Parse(text string) (*Recipe, error) {
	head, tail, more := strings.Cut(text, ";")
	for _, p := range Presets {
		if strings.TrimSpace(head) == p.Name {
			head = p.Recipe
		}
	}
	p := parser{text: head}
	r := &Recipe{}
	for {
		m, err := p.step()
		if err != nil {
			return nil, err
		}
		r.Steps = append(r.Steps, m)
		if !p.take('+') {
			break
		}
	}
	if err := p.end(); err != nil {
		return nil, err
	}
	if more {
		if err := r.parseTail(tail); err != nil {
			return nil, err
		}
	}
	return r, r.Validate()
}

// parseTail reads what follows the steps.
func (r *Recipe) parseTail(tail string) error {
	for part := range strings.SplitSeq(tail, ";") {
		if name, ok := strings.CutPrefix(strings.TrimSpace(part), "for="); ok {
			if r.For != "" || name == "" {
				return fmt.Errorf("recipe: %q: name one kind of machine", part)
			}
			r.For = name
			continue
		}
		s, err := parseSelection(part)
		if err != nil {
			return err
		}
		r.Layers = append(r.Layers, s)
	}
	return nil
}

// parser reads steps: name, or name(key=value,...), where a value may be a step.
type parser struct {
	text string
	pos  int
}

func (p *parser) errorf(at int, format string, args ...any) error {
	return fmt.Errorf("recipe %q, character %d: %s", p.text, at+1, fmt.Sprintf(format, args...))
}

func (p *parser) space() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
}

func (p *parser) take(c byte) bool {
	p.space()
	if p.pos < len(p.text) && p.text[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

func (p *parser) end() error {
	if p.space(); p.pos < len(p.text) {
		return p.errorf(p.pos, "unexpected %q", p.text[p.pos:])
	}
	return nil
}

// word reads up to the next delimiter.
func (p *parser) word(what string) (string, int, error) {
	p.space()
	at := p.pos
	for p.pos < len(p.text) && strings.IndexByte("()=, \t\n", p.text[p.pos]) < 0 && !(p.text[p.pos] == '+' && !p.exponent()) {
		p.pos++
	}
	if p.pos == at {
		return "", at, p.errorf(at, "expected %s", what)
	}
	return p.text[at:p.pos], at, nil
}

// exponent reports whether the "+" at hand belongs to a number such as 1e+06.
func (p *parser) exponent() bool {
	return p.pos > 1 && p.pos+1 < len(p.text) && p.text[p.pos-1] == 'e' && isDigit(p.text[p.pos-2]) && isDigit(p.text[p.pos+1])
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// method reads the name of a method. Names such as "red++" end with the character
// that joins steps: the longest one that fits is meant.
func (p *parser) method() (name string, at int, err error) {
	p.space()
	at = p.pos
	for n := range registry {
		if strings.HasSuffix(n, "+") && len(n) > len(name) && strings.HasPrefix(p.text[at:], n) {
			name = n
		}
	}
	if name == "" {
		return p.word("the name of a method")
	}
	p.pos += len(name)
	if p.pos < len(p.text) && strings.IndexByte("(),+ \t\n", p.text[p.pos]) < 0 {
		return "", at, p.errorf(p.pos, "expected \"+\" between %s and the next step", name)
	}
	return name, at, nil
}

func (p *parser) step() (Method, error) {
	name, at, err := p.method()
	if err != nil {
		return nil, err
	}
	info, ok := Find(name)
	if !ok {
		var names []string
		for _, i := range Methods() {
			names = append(names, i.Name)
		}
		for _, s := range Presets {
			if s.Name == name {
				return nil, fault.Hint(p.errorf(at, "the preset %s stands alone", name), "write its steps: %s", s.Recipe)
			}
			names = append(names, s.Name)
		}
		return nil, fault.Hint(p.errorf(at, "there is no method %q%s", name, didYouMean(name, names)), "pare methods lists them")
	}
	m := info.New()
	if !p.take('(') {
		return m, nil
	}
	seen := map[string]bool{}
	for !p.take(')') {
		if len(seen) > 0 && !p.take(',') {
			return nil, p.errorf(p.pos, "expected \",\" or \")\"")
		}
		if err := p.param(info.Name, m, seen); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (p *parser) param(method string, m Method, seen map[string]bool) error {
	name, at, err := p.word("a parameter")
	if err != nil {
		return err
	}
	fields, _ := params(m)
	i := slices.IndexFunc(fields, func(f field) bool { return f.Name == name })
	if i < 0 {
		var names []string
		for _, f := range fields {
			names = append(names, f.Name)
		}
		return fault.Hint(p.errorf(at, "%s has no parameter %q%s", method, name, didYouMean(name, names)),
			"pare methods lists what %s accepts", method)
	}
	if seen[name] {
		return p.errorf(at, "%s is given twice", name)
	}
	seen[name] = true
	if !p.take('=') {
		return p.errorf(p.pos, "expected \"=\" after %s", name)
	}
	f := fields[i]
	if f.Type == "step" {
		sub, err := p.step()
		if err == nil {
			f.value(m).Set(reflect.ValueOf(Nested{sub}))
		}
		return err
	}
	text, at, err := p.word("a value for " + name)
	if err != nil {
		return err
	}
	if err := f.set(m, text); err != nil {
		return p.errorf(at, "%v", err)
	}
	return nil
}
