package op

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"pare/ir"
	"pare/tensor"
)

// texts returns a string operand; it abandons the evaluation when it is none.
func (c *Eval) texts(i int) []string {
	t := c.Need(i)
	if t.Type != tensor.String {
		panic(refusal{fmt.Errorf("operand %d: %v where strings are expected", i, t)})
	}
	return t.Strings()
}

// stringConcatDef joins strings. https://onnx.ai/onnx/operators/onnx__StringConcat.html
var stringConcatDef = Def{
	Name: "StringConcat", Versions: []int{20}, In: Arity{2, 2}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		if !c.In[0].Ranked || !c.In[1].Ranked {
			c.Set(0, ir.UnrankedType(tensor.String))
			return nil
		}
		shape, err := broadcastDims(c.In[0].Shape, c.In[1].Shape)
		c.Set(0, ir.TensorType(tensor.String, shape...))
		return err
	},
	Eval: func(c *Eval) error {
		a, b := c.texts(0), c.texts(1)
		shape, err := broadcast(c.Need(0).Shape, c.Need(1).Shape)
		if err != nil {
			return err
		}
		out := c.New(tensor.String, shape...)
		rows(shape, [][]int{c.Need(0).Shape, c.Need(1).Shape}, func(at, n int, index, step []int) {
			for k := range n {
				out.Strings()[at+k] = a[index[0]+k*step[0]] + b[index[1]+k*step[1]]
			}
		})
		c.Set(0, out)
		return nil
	},
}

// stringNormalizerDef drops stop words and changes case.
// https://onnx.ai/onnx/operators/onnx__StringNormalizer.html
var stringNormalizerDef = Def{
	Name: "StringNormalizer", Versions: []int{10}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		shape := slices.Clone(c.In[0].Shape)
		if !c.In[0].Ranked || len(shape) == 0 {
			c.Set(0, ir.UnrankedType(tensor.String))
			return nil
		}
		// What is empty, or all dropped, becomes one empty string.
		last := &shape[len(shape)-1]
		if c.Node.Strs("stopwords") != nil || !last.IsKnown() {
			*last = ir.Unknown
		} else {
			*last = ir.Known(max(last.N, 1))
		}
		c.Set(0, ir.TensorType(tensor.String, shape...))
		return nil
	},
	Eval: func(c *Eval) error {
		x := c.Need(0)
		words := c.texts(0)
		if x.Rank() != 1 && (x.Rank() != 2 || x.Shape[0] != 1) {
			return fmt.Errorf("%v where [C] or [1,C] is expected", x)
		}
		change, ok := map[string]func(string) string{
			"NONE": func(s string) string { return s }, "LOWER": strings.ToLower, "UPPER": strings.ToUpper,
		}[c.Node.Str("case_change_action", "NONE")]
		if !ok {
			return fmt.Errorf("unknown case_change_action %q", c.Node.Str("case_change_action", ""))
		}
		fold := strings.ToLower
		if c.Node.Int("is_case_sensitive", 0) != 0 {
			fold = func(s string) string { return s }
		}
		stop := map[string]bool{}
		for _, w := range c.Node.Strs("stopwords") {
			stop[fold(w)] = true
		}
		var kept []string
		for _, w := range words {
			if !stop[fold(w)] {
				kept = append(kept, change(w))
			}
		}
		if len(kept) == 0 {
			kept = []string{""}
		}
		shape := slices.Clone(x.Shape)
		shape[len(shape)-1] = len(kept)
		c.Set(0, tensor.OfStrings(shape, kept))
		return nil
	},
}

// stringSplitDef cuts strings at a delimiter, by default at white space.
// https://onnx.ai/onnx/operators/onnx__StringSplit.html
var stringSplitDef = Def{
	Name: "StringSplit", Versions: []int{20}, In: Arity{1, 1}, Out: Arity{1, 2},
	Infer: func(c *Shape) error {
		x := c.In[0]
		c.Set(0, ir.UnrankedType(tensor.String))
		c.Set(1, ir.UnrankedType(tensor.Int64))
		if x.Ranked {
			c.Set(0, ir.TensorType(tensor.String, append(slices.Clone(x.Shape), ir.Unknown)...))
			c.Set(1, ir.TensorType(tensor.Int64, x.Shape...))
		}
		return nil
	},
	Eval: func(c *Eval) error {
		x := c.Need(0)
		delimiter, limit := c.Node.Str("delimiter", ""), c.Node.Int("maxsplit", -1)
		parts, longest := make([][]string, x.Len()), 0
		counts := c.New(tensor.Int64, x.Shape...)
		for i, s := range c.texts(0) {
			switch {
			case delimiter == "":
				parts[i] = splitSpace(s, limit)
			case limit < 0:
				parts[i] = strings.Split(s, delimiter)
			default:
				parts[i] = strings.SplitN(s, delimiter, limit+1)
			}
			longest = max(longest, len(parts[i]))
			tensor.Data[int64](counts)[i] = int64(len(parts[i]))
		}
		out := c.New(tensor.String, append(slices.Clone(x.Shape), longest)...)
		for i, list := range parts {
			copy(out.Strings()[i*longest:], list)
		}
		c.Set(0, out)
		c.Set(1, counts)
		return nil
	},
}

// splitSpace cuts at runs of white space, at most limit times from the left when
// limit is not negative.
func splitSpace(s string, limit int) []string {
	var out []string
	s = strings.TrimSpace(s)
	for s != "" {
		i := strings.IndexFunc(s, unicode.IsSpace)
		if i < 0 || limit >= 0 && len(out) == limit {
			return append(out, s)
		}
		out = append(out, s[:i])
		s = strings.TrimLeftFunc(s[i:], unicode.IsSpace)
	}
	return out
}

// regexFullMatchDef matches whole strings. https://onnx.ai/onnx/operators/onnx__RegexFullMatch.html
var regexFullMatchDef = Def{
	Name: "RegexFullMatch", Versions: []int{20}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		out := c.In[0]
		out.DType = tensor.Bool
		c.Set(0, out)
		return nil
	},
	Eval: func(c *Eval) error {
		re, err := regexp.Compile(`\A(?:` + c.Node.Str("pattern", "") + `)\z`)
		if err != nil {
			return err
		}
		out := c.New(tensor.Bool, c.Need(0).Shape...)
		for i, s := range c.texts(0) {
			tensor.Data[bool](out)[i] = re.MatchString(s)
		}
		c.Set(0, out)
		return nil
	},
}
