package compress

import (
	"fmt"
	"reflect"
	"slices"

	"pare/internal/fault"
)

// orderRule says that a step must not stand behind another one.
type orderRule struct {
	first, then match
	why         string // behind "THEN stands behind FIRST"
	remedy      remedy
}

// orderRules hold wherever in a recipe the two steps stand. They go by kinds, so that
// a new method follows them by what it says of itself.
var orderRules = []orderRule{
	{encodes, onFloats, ", but compares and shrinks weights as numbers: of codes with scales of their own, equal ones no longer mean equal numbers", swapped},
	{encodes, kinds(Folding), ", but batch-norms cannot be folded into codes", swapped},
	{encodes, kinds(Rescaling), ", but moves factors through weights, which are codes by then", swapped},
	{encodes, kinds(Tuning), ", but trains weights as floats, which are codes by then", swapped},
	{encodes, kinds(Expanding), ", which leaves no weights for it to store", nested},
	{encodes, kinds(Quantising), ", which leaves no weights for it to store", without},
	{method("spiq", ""), method("equalize", ""), " and undoes it: both choose the factors of channels", swapped},
	{method("equalize", ""), method("spiq", "kappa=1"), ", but both choose the factors of channels at full strength, so that the last one wins", advice("spiq(kappa=auto) takes up what equalize leaves")},
	{kinds(Correcting), kinds(Correcting), ", which took the errors out already", without},
}

// needRule says that a step needs another one before it.
type needRule struct {
	then, first match
	why         string // behind the step
	remedy      remedy
}

var needRules = []needRule{
	{kinds(Correcting), encodes, " has nothing to correct: no step before it stores weights in few bits", advice("write it behind the step that does, as in uniform(w=4)+correct")},
}

// ordered reports the first rule that the recipe breaks.
func (r *Recipe) ordered() error {
	for j, then := range r.Steps {
		for _, rule := range orderRules {
			i := slices.IndexFunc(r.Steps[:j], rule.first.of)
			if i >= 0 && rule.then.of(then) {
				return r.broken(fmt.Sprintf("%s stands behind %s%s", stepString(then), stepString(r.Steps[i]), rule.why), rule.remedy, i, j)
			}
		}
		for _, rule := range needRules {
			if rule.then.of(then) && !slices.ContainsFunc(r.Steps[:j], rule.first.of) {
				return r.broken(stepString(then)+rule.why, rule.remedy, j, j)
			}
		}
	}
	return nil
}

func (r *Recipe) broken(what string, remedy remedy, i, j int) error {
	return fault.Hint(fmt.Errorf("recipe %q: %s", r, what), "%s", remedy(r, i, j))
}

// match says which steps a rule is about.
type match func(m Method, i Info) bool

func (f match) of(m Method) bool {
	i, ok := infoOf(m)
	return ok && f(m, i)
}

// Encoder is implemented by methods that prune or decompose and can leave codes in
// place of weights: Encodes reports whether they do, as they are configured.
type Encoder interface{ Encodes() bool }

// encodes matches steps that leave codes in place of weights.
func encodes(m Method, i Info) bool {
	e, ok := m.(Encoder)
	return i.Kind == Quantising || i.Kind == Expanding || ok && e.Encodes()
}

// onFloats matches steps that prune or decompose weights in floats alone.
func onFloats(_ Method, i Info) bool { return i.Kind.Reduces() && !i.Codes }

func kinds(list ...Kind) match {
	return func(_ Method, i Info) bool { return slices.Contains(list, i.Kind) }
}

// method matches the one of that name, with a parameter of that value unless it is
// "".
func method(name, param string) match {
	return func(m Method, i Info) bool {
		if i.Name != name {
			return false
		}
		fields, _ := params(m)
		return param == "" || slices.ContainsFunc(fields, func(f field) bool { return f.Name+"="+f.text(m) == param })
	}
}

// remedy proposes what to write in place of a recipe whose steps i and j are at odds.
type remedy func(r *Recipe, i, j int) string

func advice(text string) remedy { return func(*Recipe, int, int) string { return text } }

// swapped puts step j before step i.
func swapped(r *Recipe, i, j int) string {
	steps := slices.Delete(slices.Clone(r.Steps), j, j+1)
	return write(r, slices.Insert(steps, i, r.Steps[j]))
}

// without leaves step j out.
func without(r *Recipe, _, j int) string {
	return write(r, slices.Delete(slices.Clone(r.Steps), j, j+1))
}

// nested makes step i the base of step j, or leaves j out where it takes none such.
func nested(r *Recipe, i, j int) string {
	whole := reflect.New(reflect.TypeOf(r.Steps[j]).Elem())
	whole.Elem().Set(reflect.ValueOf(r.Steps[j]).Elem())
	m := whole.Interface().(Method)
	fields, _ := params(m)
	k := slices.IndexFunc(fields, func(f field) bool { return f.Type == "step" })
	if k < 0 {
		return without(r, i, j)
	}
	fields[k].value(m).Set(reflect.ValueOf(Nested{r.Steps[i]}))
	if validate(m) != nil {
		return without(r, i, j)
	}
	steps := slices.Clone(r.Steps)
	steps[i] = m
	return write(r, slices.Delete(steps, j, j+1))
}

func write(r *Recipe, steps []Method) string {
	changed := *r
	changed.Steps = steps
	return "write " + changed.String()
}
