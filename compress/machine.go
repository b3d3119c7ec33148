package compress

import "fmt"

// machine is a kind of processor that a recipe can be made for.
type machine struct {
	name, doc string
	// limit says what layers should look like there.
	limit func(l *Layer)
}

// machines are the words that for takes. It is a statement of the recipe, never a
// look at the machine that compresses.
var machines = []machine{
	{"avx2", "processors without VNNI: convolutions and dense layers that get 8-bit weights get 7 bits (largest value 63), which integer kernels there multiply up to half as fast again; depthwise layers keep 8", limitAVX2},
}

// limitAVX2 narrows weights whose products are added up in 16 bits.
func limitAVX2(l *Layer) {
	if l.Kind == Conv || l.Kind == GroupedConv || l.Kind == Dense {
		l.Most = 7
	}
}

// findMachine returns nil for no name.
func findMachine(name string) (*machine, error) {
	var names []string
	for i := range machines {
		if machines[i].name == name {
			return &machines[i], nil
		}
		names = append(names, machines[i].name)
	}
	if name == "" {
		return nil, nil
	}
	return nil, fmt.Errorf("for=%s: choose one of %v%s", name, names, didYouMean(name, names))
}

// Machine is a kind of processor that recipes can be made for, by ";for=NAME".
type Machine struct {
	Name string `json:"name"`
	Doc  string `json:"doc"`
}

// Machines lists them.
func Machines() []Machine {
	var out []Machine
	for _, m := range machines {
		out = append(out, Machine{m.name, m.doc})
	}
	return out
}
