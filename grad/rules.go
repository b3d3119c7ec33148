package grad

import (
	"fmt"
	"slices"
)

// rules has one row per operator that gradients pass. Steps of operators without
// row run by the reference of package op, and gradients do not pass them.
var rules = slices.Concat(convRules, denseRules, trainingRules)

var ruleOf = map[[2]string]*rule{}

// init rather than an initialiser: rules may refer to functions that look rules up.
func init() {
	for i := range rules {
		k := [2]string{rules[i].domain, rules[i].op}
		if ruleOf[k] != nil {
			panic(fmt.Sprintf("operator %s::%s has two rules", k[0], k[1]))
		}
		ruleOf[k] = &rules[i]
	}
}
