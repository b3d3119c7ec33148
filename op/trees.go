package op

import (
	"fmt"
	"math"

	"pare/ir"
	"pare/tensor"
)

// treeEnsembleDef sums what decision trees say.
// https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html
var treeEnsembleDef = Def{
	Name: "TreeEnsemble", Domain: mlDomain, Versions: []int{5}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		rows := ir.Unknown
		if c.In[0].Rank() == 2 {
			rows = c.In[0].Shape[0]
		}
		c.Set(0, ir.TensorType(c.In[0].DType, rows, ir.Known(max(c.Node.Int("n_targets", 1), 0))))
		return nil
	},
	Eval: func(c *Eval) error {
		x := c.Need(0)
		if x.Rank() != 2 || !x.Type.IsFloat() {
			return fmt.Errorf("%v where a matrix of numbers is expected", x)
		}
		f, err := readForest(c.Node, x.Shape[1])
		if err != nil {
			return err
		}
		out := c.New(tensor.Float64, x.Shape[0], f.targets)
		values := tensor.Float64s(x)
		for i := range x.Shape[0] {
			if err := f.row(values[i*x.Shape[1]:(i+1)*x.Shape[1]], tensor.Data[float64](out)[i*f.targets:(i+1)*f.targets]); err != nil {
				return err
			}
		}
		converted, err := tensor.Convert(out, x.Type, tensor.Options{})
		c.Set(0, converted)
		return err
	},
}

// forest is decision trees in parallel lists, one entry per inner node and one
// per leaf.
type forest struct {
	targets           int
	roots             []int
	feature           []int
	mode              []byte
	split             []float64
	member            [][]float64 // of nodes that test membership
	next              [2][]int    // when false, when true
	leaf              [2][]int
	missing           []int
	target            []int
	weight            []float64
	aggregate, finish int
}

// The comparisons of an inner node.
const (
	branchLEQ = iota
	branchLT
	branchGTE
	branchGT
	branchEQ
	branchNEQ
	branchMember
)

func readForest(n *ir.Node, features int) (*forest, error) {
	f := &forest{
		targets: n.Int("n_targets", 1), roots: n.Ints("tree_roots"), feature: n.Ints("nodes_featureids"),
		next: [2][]int{n.Ints("nodes_falsenodeids"), n.Ints("nodes_truenodeids")},
		leaf: [2][]int{n.Ints("nodes_falseleafs"), n.Ints("nodes_trueleafs")}, missing: n.Ints("nodes_missing_value_tracks_true"),
		target: n.Ints("leaf_targetids"), aggregate: n.Int("aggregate_function", 1), finish: n.Int("post_transform", 0),
	}
	modes, splits, weights := n.Tensor("nodes_modes"), n.Tensor("nodes_splits"), n.Tensor("leaf_weights")
	if modes == nil || modes.Type != tensor.Uint8 || splits == nil || weights == nil || !splits.Type.IsFloat() || !weights.Type.IsFloat() {
		return nil, fmt.Errorf("modes %v, splits %v, weights %v", modes, splits, weights)
	}
	f.mode, f.split, f.weight = modes.Bytes(), tensor.Float64s(splits), tensor.Float64s(weights)
	nodes := len(f.feature)
	if f.missing == nil {
		f.missing = make([]int, nodes)
	}
	for _, l := range []int{len(f.mode), len(f.split), len(f.next[0]), len(f.next[1]), len(f.leaf[0]), len(f.leaf[1]), len(f.missing)} {
		if l != nodes {
			return nil, fmt.Errorf("lists of %d and %d entries for nodes", nodes, l)
		}
	}
	if len(f.target) != len(f.weight) || f.targets < 1 || f.aggregate < 0 || f.aggregate > 3 || f.finish < 0 || f.finish > 4 {
		return nil, fmt.Errorf("%d targets, %d and %d leaves, aggregate %d, transform %d", f.targets, len(f.target), len(f.weight), f.aggregate, f.finish)
	}
	for _, t := range f.target {
		if t < 0 || t >= f.targets {
			return nil, fmt.Errorf("a leaf for target %d of %d", t, f.targets)
		}
	}
	for i, x := range f.feature {
		if x < 0 || x >= features || f.mode[i] > branchMember {
			return nil, fmt.Errorf("node %d tests feature %d of %d in mode %d", i, x, features, f.mode[i])
		}
		for side := range 2 {
			limit := nodes
			if f.leaf[side][i] != 0 {
				limit = len(f.weight)
			}
			if to := f.next[side][i]; to < 0 || to >= limit {
				return nil, fmt.Errorf("node %d leads to %d of %d", i, to, limit)
			}
		}
	}
	for _, r := range f.roots {
		if r < 0 || r >= nodes {
			return nil, fmt.Errorf("root %d among %d nodes", r, nodes)
		}
	}
	return f, f.readMembers(n.Tensor("membership_values"))
}

// readMembers gives each membership node its set; sets end with not-a-number.
func (f *forest) readMembers(t *tensor.Tensor) error {
	f.member = make([][]float64, len(f.mode))
	var values []float64
	if t != nil && t.Type.IsFloat() {
		values = tensor.Float64s(t)
	}
	for i, m := range f.mode {
		if m != branchMember {
			continue
		}
		if len(values) == 0 {
			return fmt.Errorf("node %d tests membership in no set", i)
		}
		for len(values) > 0 {
			x := values[0]
			values = values[1:]
			if x != x {
				break
			}
			f.member[i] = append(f.member[i], x)
		}
	}
	return nil
}

// row computes the targets of one row.
func (f *forest) row(x, y []float64) error {
	seen := make([]bool, len(y))
	for _, root := range f.roots {
		leaf, err := f.walk(root, x)
		if err != nil {
			return err
		}
		w, t := f.weight[leaf], f.target[leaf]
		switch {
		case !seen[t]:
			y[t] = w
		case f.aggregate == 2:
			y[t] = min(y[t], w)
		case f.aggregate == 3:
			y[t] = max(y[t], w)
		default:
			y[t] += w
		}
		seen[t] = true
	}
	if f.aggregate == 0 && len(f.roots) > 0 {
		for t := range y {
			y[t] /= float64(len(f.roots))
		}
	}
	transform(y, f.finish)
	return nil
}

// walk follows one tree to its leaf.
func (f *forest) walk(node int, x []float64) (leaf int, err error) {
	for range f.feature {
		side := 0
		if f.holds(node, x[f.feature[node]]) {
			side = 1
		}
		if f.leaf[side][node] != 0 {
			return f.next[side][node], nil
		}
		node = f.next[side][node]
	}
	return 0, fmt.Errorf("the branches of node %d run in a circle", node)
}

func (f *forest) holds(node int, x float64) bool {
	s := f.split[node]
	if x != x && f.missing[node] != 0 {
		return true
	}
	switch f.mode[node] {
	case branchLEQ:
		return x <= s
	case branchLT:
		return x < s
	case branchGTE:
		return x >= s
	case branchGT:
		return x > s
	case branchEQ:
		return x == s
	case branchNEQ:
		return x != s && x == x
	}
	for _, m := range f.member[node] {
		if x == m {
			return true
		}
	}
	return false
}

// transform is the last step of an ensemble: none, softmax, logistic, softmax
// over the targets that are not zero, or probit.
func transform(y []float64, how int) {
	switch how {
	case 1, 3:
		top, sum := math.Inf(-1), 0.0
		for _, v := range y {
			top = max(top, v)
		}
		for i, v := range y {
			if how == 3 && math.Abs(v) <= 1e-7 {
				y[i] = 0
				continue
			}
			y[i] = math.Exp(v - top)
			sum += y[i]
		}
		for i := range y {
			y[i] /= sum
		}
	case 2:
		for i, v := range y {
			y[i] = 1 / (1 + math.Exp(-v))
		}
	case 4:
		for i, v := range y {
			y[i] = math.Sqrt2 * math.Erfinv(2*v-1)
		}
	}
}
