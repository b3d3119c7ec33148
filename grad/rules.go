package grad

import "slices"

// rules has one row per operator that gradients pass. Steps of operators without
// row run by the reference of package op, and gradients do not pass them.
var rules = slices.Concat(convRules, denseRules, []rule{
	{"Gemm", "", lowerGemm},
	{"MatMul", "", lowerMatMul},
})

var ruleOf = map[[2]string]*rule{}

// init rather than an initialiser: rules may refer to functions that look rules up.
func init() {
	for _, family := range [][]rule{rules, denseRules, trainingRules} {
		for i := range family {
			ruleOf[[2]string{family[i].domain, family[i].op}] = &family[i]
		}
	}
}
