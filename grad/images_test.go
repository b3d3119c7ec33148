package grad_test

import (
	"slices"
	"strings"
	"testing"

	"pare/grad"
	"pare/ir"
)

// imageOps are nodes that make y from x, a batch of images of shape [3,4,5,6].
var imageOps = map[string]string{
	"Add scalar":            "const k = f32[]{random}\n y = Add(x, k)",
	"Add channels":          "const k = f32[4,1,1]{random}\n y = Add(k, x)",
	"Sub channels":          "const k = f32[4,1,1]{random}\n y = Sub(k, x)",
	"Sub right":             "const k = f32[1,4,1,1]{random}\n y = Sub(x, k)",
	"Mul columns":           "const k = f32[6]{random}\n y = Mul(x, k)",
	"Mul images":            "const k = f32[3,1,1,1]{random}\n y = Mul(k, x)",
	"Mul rows":              "const k = f32[3,1,5,1]{random}\n y = Mul(x, k)",
	"Mul itself":            "y = Mul(x, x)",
	"Mul squeezed":          "p = GlobalAveragePool(x)\n s = Sigmoid(p)\n y = Mul(x, s)",
	"Mul outwards":          "const k = f32[3,4,5,1]{random}\n const l = f32[1,4,1,6]{random}\n m = Mul(k, l)\n y = Add(m, x)",
	"Div channels":          "const k = f32[4,1,1]{positive}\n y = Div(x, k)",
	"Div left":              "const k = f32[4,1,1]{random}\n const t = f32[]{3}\n p = Add(x, t)\n y = Div(k, p)",
	"Div both":              "const t = f32[]{3}\n p = Add(x, t)\n y = Div(x, p)",
	"Sub both":              "s = Sigmoid(x)\n y = Sub(x, s)",
	"Add residual":          "s = Sigmoid(x)\n a = Add(x, s)\n r = Sigmoid(a)\n y = Add(r, x)",
	"AveragePool":           "y = AveragePool(x) {kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1]}",
	"AveragePool padded":    "y = AveragePool(x) {kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 0, 1], count_include_pad=1, ceil_mode=1}",
	"MaxPool":               "y = MaxPool(x) {kernel_shape=[3, 3], strides=[2, 1], pads=[1, 1, 1, 1]}",
	"MaxPool same":          "y = MaxPool(x) {kernel_shape=[2, 2], strides=[2, 2], auto_pad=\"SAME_UPPER\"}",
	"GlobalMaxPool":         "y = GlobalMaxPool(x)",
	"GlobalAveragePool":     "y = GlobalAveragePool(x)",
	"Clip":                  "const l = f32[]{-0.5}\n const h = f32[]{0.25}\n y = Clip(x, l, h)",
	"Clip above":            "const h = f32[]{0.25}\n y = Clip(x, _, h)",
	"Relu":                  "y = Relu(x)",
	"LeakyRelu":             "y = LeakyRelu(x) {alpha=0.2}",
	"PRelu":                 "const k = f32[4,1,1]{random}\n y = PRelu(x, k)",
	"Sigmoid":               "y = Sigmoid(x)",
	"HardSigmoid":           "y = HardSigmoid(x) {alpha=0.9, beta=0.4}",
	"HardSwish":             "const t = f32[]{5}\n m = Mul(x, t)\n y = HardSwish(m)",
	"Swish":                 "s = Sigmoid(x)\n y = Mul(x, s)",
	"Concat":                "s = Sigmoid(x)\n y = Concat(x, s, x) {axis=1}",
	"Concat columns":        "s = Sigmoid(x)\n y = Concat(s, x) {axis=-1}",
	"Split":                 "a, b = Split(x) {axis=1, num_outputs=2}\n y = Mul(a, b)",
	"Split half":            "const p = i64[2]{1, 3}\n a, b = Split(x, p) {axis=1}\n y = Sigmoid(b)",
	"Slice":                 "const s = i64[2]{1, 5}\n const e = i64[2]{4, 0}\n const a = i64[2]{1, 3}\n const t = i64[2]{1, -2}\n y = Slice(x, s, e, a, t)",
	"Pad":                   "const p = i64[8]{0, 0, 1, 2, 0, 1, 0, -1}\n const v = f32[]{0.5}\n y = Pad(x, p, v)",
	"Pad reflect":           "const p = i64[8]{0, 0, 2, 1, 0, 0, 1, 2}\n y = Pad(x, p) {mode=\"reflect\"}",
	"Pad edge":              "const p = i64[8]{0, 0, 2, 1, 0, 0, 1, 2}\n y = Pad(x, p) {mode=\"edge\"}",
	"Resize nearest":        "const s = f32[4]{1, 1, 2, 1.5}\n y = Resize(x, _, s) {mode=\"nearest\"}",
	"Resize linear":         "const s = f32[4]{1, 1, 2, 0.5}\n y = Resize(x, _, s) {mode=\"linear\"}",
	"Resize sizes":          "const s = i64[4]{3, 4, 7, 9}\n y = Resize(x, _, _, s) {mode=\"linear\", coordinate_transformation_mode=\"align_corners\"}",
	"DepthToSpace":          "y = DepthToSpace(x) {blocksize=2, mode=\"CRD\"}",
	"SpaceToDepth":          "const s = i64[2]{0, 0}\n const e = i64[2]{4, 6}\n const a = i64[2]{2, 3}\n c = Slice(x, s, e, a)\n y = SpaceToDepth(c) {blocksize=2}",
	"Tile":                  "const p = i64[4]{1, 2, 1, 2}\n y = Tile(x, p)",
	"Dropout":               "y, _ = Dropout(x)",
	"Cast":                  "y = Cast(x) {to=11}",
	"Flatten":               "y = Flatten(x)",
	"Reshape":               "const s = i64[3]{3, -1, 4}\n r = Reshape(x, s)\n y = Relu(r)",
	"InstanceNormalization": "const s = f32[4]{positive}\n const b = f32[4]{random}\n y = InstanceNormalization(x, s, b)",
	"GroupNormalization":    "const s = f32[2]{positive}\n const b = f32[2]{random}\n y = GroupNormalization(x, s, b) {num_groups=2}",
	"InstanceNorm and Relu": "const s = f32[4]{positive}\n const b = f32[4]{random}\n i = InstanceNormalization(x, s, b)\n r = Relu(i)\n y = Add(r, x)",
	"BatchNormalization":    "const s = f32[4]{positive}\n const b = f32[4]{random}\n const m = f32[4]{random}\n const v = f32[4]{positive}\n y = BatchNormalization(x, s, b, m, v)",
	"Conv depthwise":        "const w = f32[4,1,3,3]{random}\n const b = f32[4]{random}\n y = Conv(x, w, b) {group=4, strides=[2, 1], pads=[1, 1, 1, 1]}",
	"Conv of Pad":           "const p = i64[8]{0, 0, 1, 2, 0, 0, 0, 1}\n const w = f32[3,4,3,3]{random}\n p1 = Pad(x, p)\n c = Conv(p1, w) {pads=[0, 1, 1, 0]}\n y = Relu(c)",
	"Slice backwards":       "const s = i64[2]{-1, 0}\n const e = i64[2]{-9, 2}\n const a = i64[2]{0, 2}\n const t = i64[2]{-1, 1}\n y = Slice(x, s, e, a, t)",
	"Conv pointwise":        "const w = f32[3,4,1,1]{random}\n const b = f32[3]{random}\n y = Conv(x, w, b)",
	"ConvTranspose":         "const w = f32[4,3,3,2]{random}\n const b = f32[3]{random}\n y = ConvTranspose(x, w, b) {strides=[2, 1], pads=[1, 0, 0, 1], output_padding=[1, 0]}",
	"ConvTranspose groups":  "const w = f32[4,3,2,2]{random}\n y = ConvTranspose(x, w) {group=2, strides=[2, 2]}",
	"ConvTranspose overlap": "const w = f32[4,2,3,3]{random}\n y = ConvTranspose(x, w)",
	"weights computed":      "const w = f32[3,4,3,3]{random}\n s = Sigmoid(w)\n c = Conv(x, s)\n d = Conv(x, s) {pads=[1, 1, 1, 1], strides=[2, 2]}\n e = GlobalAveragePool(d)\n y = Add(c, e)",
}

// TestImages checks every operator on images as they come and on those that a
// convolution made.
func TestImages(t *testing.T) {
	for name, nodes := range imageOps {
		for _, form := range [][2]string{{"", "x"}, {"const w0 = f32[4,4,1,1]{random}\n x = Conv(x0, w0)", "x0"}} {
			how := name
			if form[0] != "" {
				how += " of Conv"
			}
			t.Run(how, func(t *testing.T) {
				checkGradients(t, "opset 18\ngraph g("+form[1]+" f32[3,4,5,6]) -> (y) {\n"+form[0]+"\n"+strings.ReplaceAll(nodes, "\n ", "\n  ")+"\n}", settings)
			})
		}
	}
}

// settings leaves out constants that set what a node does: they are no parameters.
func settings(o *grad.Options) {
	o.Params = slices.DeleteFunc(o.Params, func(v *ir.Value) bool {
		if len(v.Uses()) == 0 {
			return true
		}
		n := v.Uses()[0].Node
		return n.Op == "Clip" || n.Op == "Pad" || n.Op == "Resize"
	})
}
