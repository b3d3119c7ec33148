package grad

// rules has one row per operator that gradients pass. Steps of operators without
// row run by the reference of package op, and gradients do not pass them.
var rules = []rule{
	{"Add", "", lowerAdd},
	{"BatchNormalization", "", lowerBatchNorm},
	{"Conv", "", lowerConv},
	{"Flatten", "", lowerReshape},
	{"Gemm", "", lowerGemm},
	{"GlobalAveragePool", "", lowerGlobalAveragePool},
	{"Identity", "", lowerIdentity},
	{"MatMul", "", lowerMatMul},
	{"Relu", "", lowerRelu},
	{"Reshape", "", lowerReshape},
}

var ruleOf = map[[2]string]*rule{}

// init rather than an initialiser: rules may refer to functions that look rules up.
func init() {
	for i := range rules {
		ruleOf[[2]string{rules[i].domain, rules[i].op}] = &rules[i]
	}
}
