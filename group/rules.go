package group

import "pare/ir"

// rule labels the results of a node and links its constants. An operator
// without a rule pins what it reads and computes.
type rule func(w *walk, n *ir.Node)

// rules has one row per operator of the standard set.
var rules map[string]rule

// init rather than an initialiser: rules refer to the walk, which looks them up.
func init() {
	rules = map[string]rule{
		"Abs":                   each,
		"Add":                   joint(additive),
		"AveragePool":           pool,
		"BatchNormalization":    batchNorm,
		"Cast":                  cast,
		"Ceil":                  curved,
		"Celu":                  curved,
		"Clip":                  clip,
		"Concat":                concat,
		"Constant":              nothing,
		"ConstantOfShape":       filled,
		"Conv":                  conv,
		"ConvTranspose":         convTranspose,
		"DepthToSpace":          depthToSpace,
		"DequantizeLinear":      quantised,
		"Div":                   joint(multiplicative),
		"Dropout":               each,
		"Elu":                   curved,
		"Erf":                   curved,
		"Exp":                   curved,
		"Expand":                filled,
		"Flatten":               reshape,
		"Floor":                 curved,
		"Gather":                gather,
		"Gelu":                  curved,
		"Gemm":                  gemm,
		"GlobalAveragePool":     pool,
		"GlobalLpPool":          pool,
		"GlobalMaxPool":         pool,
		"HardSigmoid":           curved,
		"HardSwish":             curved,
		"Identity":              each,
		"InstanceNormalization": instanceNorm,
		"LayerNormalization":    layerNorm,
		"LeakyRelu":             each,
		"Log":                   curved,
		"LpPool":                pool,
		"MatMul":                matMul,
		"Max":                   joint(additive),
		"MaxPool":               pool,
		"Min":                   joint(additive),
		"Mish":                  curved,
		"Mul":                   joint(multiplicative),
		"Neg":                   each,
		"PRelu":                 prelu,
		"Pad":                   pad,
		"Pow":                   power,
		"QuantizeLinear":        quantised,
		"Reciprocal":            curved,
		"ReduceL1":              reduce,
		"ReduceL2":              reduce,
		"ReduceMax":             reduce,
		"ReduceMean":            reduce,
		"ReduceMin":             reduce,
		"ReduceSum":             reduce,
		"RMSNormalization":      layerNorm,
		"Relu":                  each,
		"Reshape":               reshape,
		"Resize":                resize,
		"Round":                 curved,
		"Selu":                  curved,
		"Shape":                 shape,
		"Sigmoid":               curved,
		"Sign":                  curved,
		"Slice":                 slice,
		"Softmax":               softmax,
		"Softplus":              curved,
		"Softsign":              curved,
		"SpaceToDepth":          spaceToDepth,
		"Split":                 split,
		"Sqrt":                  curved,
		"Squeeze":               squeeze,
		"Sub":                   joint(additive),
		"Sum":                   joint(additive),
		"Swish":                 curved,
		"Tanh":                  curved,
		"ThresholdedRelu":       curved,
		"Transpose":             transpose,
		"Unsqueeze":             squeeze,
		"Upsample":              resize,
		"Where":                 where,
	}
}

// nothing is the rule of operators whose results have no channels.
func nothing(*walk, *ir.Node) {}

// each is the rule of positively homogeneous functions of single elements.
func each(w *walk, n *ir.Node) { w.pass(n, n.In[0]) }
