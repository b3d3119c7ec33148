package calib

import (
	"math"

	"pare/ir"
)

// rules says how statistics pass through operators. An operator without a row
// leaves its results unknown.
var rules map[string]rule

// ownRules are those of the functions that pare writes.
var ownRules map[string]rule

// init rather than an initialiser: rules refer to the walk, which looks them up.
func init() {
	ownRules = map[string]rule{"PowerQuantizeLinear": same, "PowerDequantizeLinear": same}
	rules = map[string]rule{
		"Abs":                   unary(math.Abs),
		"Add":                   binary(func(a, b float64) float64 { return a + b }),
		"AveragePool":           pooled,
		"BatchNormalization":    batchNorm,
		"Cast":                  same,
		"Clip":                  clip(clipLimits),
		"Concat":                concat,
		"Conv":                  linear,
		"DepthToSpace":          moved,
		"DequantizeLinear":      same,
		"Div":                   binary(func(a, b float64) float64 { return a / b }),
		"Dropout":               same,
		"Elu":                   attr1("alpha", 1, func(x, a float64) float64 { return max(x, 0) + a*math.Expm1(min(x, 0)) }),
		"Erf":                   unary(math.Erf, -1, 1),
		"Expand":                moved,
		"Flatten":               moved,
		"Gather":                part,
		"Gelu":                  unary(gelu),
		"Gemm":                  linear,
		"GlobalAveragePool":     pooled,
		"GlobalMaxPool":         pooled,
		"HardSigmoid":           hardSigmoid,
		"HardSwish":             unary(func(x float64) float64 { return x * min(max(x+3, 0), 6) / 6 }),
		"Identity":              same,
		"InstanceNormalization": batchNorm,
		"LayerNormalization":    layerNorm,
		"LeakyRelu":             leaky,
		"MatMul":                matMul,
		"Max":                   binary(math.Max),
		"MaxPool":               pooled,
		"Min":                   binary(math.Min),
		"Mish":                  unary(func(x float64) float64 { return x * math.Tanh(softplus(x)) }),
		"Mul":                   binary(func(a, b float64) float64 { return a * b }),
		"Neg":                   unary(func(x float64) float64 { return -x }),
		"PRelu":                 leaky,
		"Pad":                   pad,
		"QuantizeLinear":        same,
		"ReduceMean":            reduceMean,
		"Relu":                  clip(reluLimits),
		"RMSNormalization":      layerNorm,
		"Reshape":               moved,
		"Resize":                pooled,
		"Sigmoid":               unary(func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, 0, 1),
		"Slice":                 part,
		"Softmax":               unit,
		"Softplus":              unary(softplus),
		"SpaceToDepth":          moved,
		"Split":                 split,
		"Squeeze":               moved,
		"Sub":                   binary(func(a, b float64) float64 { return a - b }),
		"Swish":                 attr1("alpha", 1, func(x, a float64) float64 { return x / (1 + math.Exp(-a*x)) }),
		"Tanh":                  unary(math.Tanh, -1, 1),
		"Tile":                  moved,
		"Transpose":             moved,
		"Unsqueeze":             moved,
		"Upsample":              pooled,
	}
}

// normalisers give their results the statistics that training chose, those over
// channels only on average over these; layers mix channels.
var (
	normalisers  = map[string]bool{"BatchNormalization": true, "InstanceNormalization": true, "LayerNormalization": true, "RMSNormalization": true}
	channelNorms = map[string]bool{"LayerNormalization": true, "RMSNormalization": true}
	layers       = map[string]bool{"Conv": true, "Gemm": true, "MatMul": true}
)

func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

func gelu(x float64) float64 { return x * cdf(x) }

// attr1 is unary for a function with one attribute.
func attr1(name string, def float32, f func(x, a float64) float64) rule {
	return func(w *walk, n *ir.Node) (*state, string) {
		a := float64(n.Float(name, def))
		return unary(func(x float64) float64 { return f(x, a) })(w, n)
	}
}

func hardSigmoid(w *walk, n *ir.Node) (*state, string) {
	a, b := float64(n.Float("alpha", 0.2)), float64(n.Float("beta", 0.5))
	return unary(func(x float64) float64 { return min(max(a*x+b, 0), 1) }, 0, 1)(w, n)
}

// unit is the rule of operators whose results are shares of one.
func unit(_ *walk, n *ir.Node) (*state, string) { return bounded(0, 1, n.Op), "" }
