package grad

// denseRules are the rows of transformers and of element-wise functions.
var denseRules = []rule{
	{"Abs", "", lowerCurve(absCurve)},
	{"Acos", "", lowerScalar(acosPair)},
	{"Acosh", "", lowerScalar(acoshPair)},
	{"Asin", "", lowerScalar(asinPair)},
	{"Asinh", "", lowerScalar(asinhPair)},
	{"Atan", "", lowerScalar(atanPair)},
	{"Atanh", "", lowerScalar(atanhPair)},
	{"Celu", "", lowerScalar(celuPair)},
	{"Cos", "", lowerScalar(cosPair)},
	{"Cosh", "", lowerScalar(coshPair)},
	{"Elu", "", lowerScalar(eluPair)},
	{"Erf", "", lowerCurve(erfCurve)},
	{"Exp", "", lowerCurve(expCurve)},
	{"Gelu", "", lowerCurve(geluCurve)},
	{"Gelu", microsoft, lowerCurve(geluCurve)},
	{"Log", "", lowerScalar(logPair)},
	{"Mish", "", lowerScalar(mishPair)},
	{"Neg", "", lowerCurve(negCurve)},
	{"QuickGelu", microsoft, lowerScalar(quickGeluPair)},
	{"Reciprocal", "", lowerScalar(reciprocalPair)},
	{"Selu", "", lowerScalar(seluPair)},
	{"Shrink", "", lowerScalar(shrinkPair)},
	{"Sin", "", lowerScalar(sinPair)},
	{"Sinh", "", lowerScalar(sinhPair)},
	{"Softplus", "", lowerScalar(softplusPair)},
	{"Softsign", "", lowerScalar(softsignPair)},
	{"Sqrt", "", lowerCurve(sqrtCurve)},
	{"Swish", "", lowerScalar(swishPair)},
	{"Tan", "", lowerScalar(tanPair)},
	{"Tanh", "", lowerCurve(tanhCurve)},
	{"ThresholdedRelu", "", lowerScalar(thresholdedReluPair)},
}

// microsoft is the domain of ONNX Runtime's own operators.
const microsoft = "com.microsoft"
