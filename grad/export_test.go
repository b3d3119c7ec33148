package grad

import "pare/ir"

// RuleNames lists the operators that have a row, as domain::name.
func RuleNames() (names []string) {
	for k := range ruleOf {
		names = append(names, k[0]+"::"+k[1])
	}
	return names
}

// Recognise replaces the forms in a graph whose types are known.
func Recognise(m *ir.Model) { recognise(m) }
