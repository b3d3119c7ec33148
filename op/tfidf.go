package op

import (
	"fmt"
	"slices"
	"strconv"

	"pare/ir"
	"pare/tensor"
)

// tfIdfVectorizerDef counts n-grams of a vocabulary.
// https://onnx.ai/onnx/operators/onnx__TfIdfVectorizer.html
var tfIdfVectorizerDef = Def{
	Name: "TfIdfVectorizer", Versions: []int{9}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		v, err := readVocabulary(c.Node)
		if err != nil {
			return err
		}
		switch x := c.In[0]; x.Rank() {
		case 1:
			c.Set(0, ir.TensorType(tensor.Float32, ir.Known(v.width)))
		case 2:
			c.Set(0, ir.TensorType(tensor.Float32, x.Shape[0], ir.Known(v.width)))
		default:
			c.Set(0, ir.UnrankedType(tensor.Float32))
		}
		return nil
	},
	Eval: func(c *Eval) error {
		v, err := readVocabulary(c.Node)
		if err != nil {
			return err
		}
		x := c.Need(0)
		words, err := tokens(x, v.numbers)
		if err != nil {
			return err
		}
		shape, count := []int{v.width}, 1
		switch x.Rank() {
		case 0, 1:
		case 2:
			count = x.Shape[0]
			shape = []int{count, v.width}
		default:
			return fmt.Errorf("%v where a vector or matrix is expected", x)
		}
		out := c.New(tensor.Float32, shape...)
		y := tensor.Data[float32](out)
		for i := range min(count, out.Len()) {
			n := len(words) / count
			v.count(words[i*n:(i+1)*n], y[i*v.width:(i+1)*v.width])
		}
		c.Set(0, out)
		return nil
	},
}

// tokens are the elements of x as the vocabulary spells them.
func tokens(x *tensor.Tensor, numbers bool) ([]string, error) {
	if x.Type == tensor.String && !numbers {
		return x.Strings(), nil
	}
	list, err := intsOf(x)
	if err != nil || !numbers {
		return nil, fmt.Errorf("%v does not fit the vocabulary", x)
	}
	return spelled(list), nil
}

func spelled(list []int) []string {
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = strconv.Itoa(n)
	}
	return out
}

// vocabulary is the n-grams of a TfIdfVectorizer by length.
type vocabulary struct {
	numbers  bool // its items are numbers, else strings
	min, max int  // lengths of n-grams that count
	skips    int
	width    int // of the result
	mode     string
	grams    map[string]int // index of an n-gram, by its joined items
	place    []int          // of an n-gram in the result
	weights  []float32
}

func readVocabulary(n *ir.Node) (*vocabulary, error) {
	v := &vocabulary{
		min: n.Int("min_gram_length", 1), max: n.Int("max_gram_length", 1), skips: n.Int("max_skip_count", 0),
		mode: n.Str("mode", "TF"), place: n.Ints("ngram_indexes"), weights: n.Floats("weights"), grams: map[string]int{},
	}
	items := n.Strs("pool_strings")
	if n.Has("pool_int64s") {
		v.numbers, items = true, spelled(n.Ints("pool_int64s"))
	}
	if v.min < 1 || v.max < v.min || v.skips < 0 || v.mode != "TF" && v.mode != "IDF" && v.mode != "TFIDF" {
		return nil, fmt.Errorf("n-grams of length %d to %d, %d skips, mode %q", v.min, v.max, v.skips, v.mode)
	}
	starts := append(n.Ints("ngram_counts"), len(items))
	id := 0
	for k := range len(starts) - 1 {
		if starts[k] < 0 || starts[k] > starts[k+1] || starts[k+1] > len(items) {
			return nil, fmt.Errorf("n-grams start at %v in a pool of %d items", starts[:len(starts)-1], len(items))
		}
		size := k + 1
		for at := starts[k]; at+size <= starts[k+1]; at += size {
			if size >= v.min && size <= v.max {
				if key := gramKey(items[at : at+size]); !has(v.grams, key) {
					v.grams[key] = id
				}
			}
			id++
		}
	}
	if len(v.place) < id || v.weights != nil && len(v.weights) < id {
		return nil, fmt.Errorf("%d n-grams, %d places, %d weights", id, len(v.place), len(v.weights))
	}
	if len(v.place) > 0 {
		v.width = slices.Max(v.place) + 1
		if slices.Min(v.place) < 0 {
			return nil, fmt.Errorf("an n-gram has the place %d", slices.Min(v.place))
		}
	}
	return v, nil
}

func has(m map[string]int, key string) bool {
	_, ok := m[key]
	return ok
}

// gramKey spells an n-gram without ambiguity.
func gramKey(items []string) string {
	var key []byte
	for _, s := range items {
		key = strconv.AppendInt(key, int64(len(s)), 10)
		key = append(key, ':')
		key = append(key, s...)
	}
	return string(key)
}

// count adds the n-grams of one sequence to y. Items of an n-gram lie one more
// than the number of skipped items apart; a 1-gram cannot skip.
func (v *vocabulary) count(words []string, y []float32) {
	gram := make([]string, 0, min(v.max, len(words)))
	for size := v.min; size <= v.max && size <= len(words); size++ {
		skips := v.skips
		if size == 1 {
			skips = 0
		}
		for step := 1; step <= skips+1 && (size-1)*step < len(words); step++ {
			for at := 0; at+(size-1)*step < len(words); at++ {
				gram = gram[:0]
				for k := range size {
					gram = append(gram, words[at+k*step])
				}
				if id, ok := v.grams[gramKey(gram)]; ok {
					v.add(id, y)
				}
			}
		}
	}
}

func (v *vocabulary) add(id int, y []float32) {
	w := float32(1)
	if v.weights != nil {
		w = v.weights[id]
	}
	at := &y[v.place[id]]
	switch v.mode {
	case "TF":
		*at++
	case "IDF":
		*at = w
	default:
		*at += w
	}
}
