package compress

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// Param describes one parameter of a method.
type Param struct {
	Name    string   `json:"name"`
	Type    string   `json:"type"` // "int", "float", "bool", "word" or "step"
	Default string   `json:"default"`
	Doc     string   `json:"doc"`
	Values  []string `json:"values,omitempty"` // the accepted words, where they are few
}

// Params lists the parameters in their declared order, with the values of the
// method that New returns as defaults.
func (i Info) Params() []Param {
	m := i.New()
	fields, _ := params(m) // checked by Register
	out := make([]Param, len(fields))
	for k, f := range fields {
		out[k] = f.Param
		out[k].Default = f.text(m)
	}
	return out
}

// Nested is a parameter that is a step itself, such as base in
// "rex(base=powerquant(w=4))".
type Nested struct{ Method }

// MarshalJSON writes the step in its canonical spelling.
func (n Nested) MarshalJSON() ([]byte, error) { return json.Marshal(stepString(n.Method)) }

// UnmarshalJSON reads a step.
func (n *Nested) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	if text == "" {
		n.Method = nil
		return nil
	}
	p := parser{text: text}
	m, err := p.step()
	if err == nil {
		err = p.end()
	}
	n.Method = m
	return err
}

// field is a parameter and where it lies in the struct: its index, behind those
// of the embedded structs around it.
type field struct {
	Param
	index []int
}

var nestedType = reflect.TypeFor[Nested]()

// params reads the tags of a method's struct.
func params(m Method) ([]field, error) {
	t := reflect.TypeOf(m)
	if t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("%v is no pointer to a struct", t)
	}
	var out []field
	for _, f := range reflect.VisibleFields(t.Elem()) { // of embedded structs, too
		if !f.IsExported() || f.Anonymous {
			continue
		}
		p, err := paramOf(f)
		if err != nil {
			return nil, err
		}
		out = append(out, field{p, f.Index})
	}
	return out, nil
}

func paramOf(f reflect.StructField) (Param, error) {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	p := Param{Name: name, Doc: f.Tag.Get("doc")}
	if v := f.Tag.Get("values"); v != "" {
		p.Values = strings.Split(v, "|")
	}
	switch {
	case f.Type == nestedType:
		p.Type = "step"
	case f.Type.Kind() == reflect.Int:
		p.Type = "int"
	case f.Type.Kind() == reflect.Float64:
		p.Type = "float"
	case f.Type.Kind() == reflect.Bool:
		p.Type = "bool"
	case f.Type.Kind() == reflect.String:
		p.Type = "word"
	default:
		return p, fmt.Errorf("parameter %s has type %v", f.Name, f.Type)
	}
	if p.Name == "" || p.Doc == "" {
		return p, fmt.Errorf("parameter %s lacks a json or doc tag", f.Name)
	}
	return p, nil
}

func (f field) value(m Method) reflect.Value { return reflect.ValueOf(m).Elem().FieldByIndex(f.index) }

// text is the canonical spelling of the parameter's value.
func (f field) text(m Method) string {
	switch v := f.value(m); f.Type {
	case "int":
		return strconv.FormatInt(v.Int(), 10)
	case "float":
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case "bool":
		return strconv.FormatBool(v.Bool())
	case "word":
		return v.String()
	default:
		if sub := v.Interface().(Nested).Method; sub != nil {
			return stepString(sub)
		}
		return "none"
	}
}

// set parses text into the parameter.
func (f field) set(m Method, text string) error {
	v := f.value(m)
	switch f.Type {
	case "int":
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%s=%s is not a whole number", f.Name, text)
		}
		v.SetInt(int64(n))
	case "float":
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("%s=%s is not a number", f.Name, text)
		}
		v.SetFloat(x)
	case "bool":
		x, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%s=%s is neither true nor false", f.Name, text)
		}
		v.SetBool(x)
	case "word":
		v.SetString(text)
	}
	return nil
}

// words reports a word outside the accepted ones.
func (f field) words(m Method) error {
	if f.Type != "word" || f.Values == nil {
		return nil
	}
	text := f.value(m).String()
	for _, w := range f.Values {
		if w == text {
			return nil
		}
		if _, err := strconv.ParseFloat(text, 64); err == nil && w == "number" {
			return nil
		}
	}
	return fmt.Errorf("%s=%s: choose one of %s%s", f.Name, text, strings.Join(f.Values, ", "), didYouMean(text, f.Values))
}

// stepString is the canonical spelling of a step: the registered name and, in
// declared order, the parameters that differ from their defaults.
func stepString(m Method) string {
	info, ok := infoOf(m)
	if !ok {
		return fmt.Sprintf("%T", m)
	}
	fields, _ := params(m)
	def := info.New()
	var args []string
	for _, f := range fields {
		if text := f.text(m); text != f.text(def) {
			args = append(args, f.Name+"="+text)
		}
	}
	if args == nil {
		return info.Name
	}
	return info.Name + "(" + strings.Join(args, ",") + ")"
}

// InfoOf finds the registry entry of a method; ok is false for one that is not
// registered.
func InfoOf(m Method) (Info, bool) { return infoOf(m) }

// infoOf finds the registry entry of a method by its type.
func infoOf(m Method) (Info, bool) {
	for _, i := range Methods() {
		if reflect.TypeOf(i.New()) == reflect.TypeOf(m) {
			return i, true
		}
	}
	return Info{}, false
}
