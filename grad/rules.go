package grad

// rules lists the rows of the operators that gradients pass, by families. Steps of
// operators without row run by the reference of package op, and gradients do not pass
// them.
var rules = [][]rule{convRules, denseRules, trainingRules}

var ruleOf = map[[2]string]*rule{}

// init rather than an initialiser: rules may refer to functions that look rules up.
func init() {
	for _, family := range rules {
		for i := range family {
			ruleOf[[2]string{family[i].domain, family[i].op}] = &family[i]
		}
	}
}
