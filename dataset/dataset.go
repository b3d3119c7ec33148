package dataset

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"pare/tensor"
)

// Task says what the labels of a set are, and so what can be measured on it.
type Task string

// The tasks.
const (
	Unlabelled     Task = "unlabelled"
	Classification Task = "classification"
	NextToken      Task = "next token"
	Similarity     Task = "similarity"
)

// Batch is a run of consecutive samples, ready to be fed to a network.
type Batch struct {
	// Inputs by name; each has the samples along its first dimension. The name
	// "" stands for the network's only (or first) data input.
	Inputs map[string]*tensor.Tensor
	// Labels has one class per sample for Classification, -1 where it is
	// unknown; it is nil for the other tasks.
	Labels []int
	// Scores has one number per sample for Similarity: how alike the two rows of
	// each input are that a sample has. It is nil for the other tasks.
	Scores []float64
}

// Set is an ordered collection of samples. Implementations are safe for
// concurrent use.
type Set interface {
	// Len is the number of samples.
	Len() int
	// Task says what the labels mean.
	Task() Task
	// Batch returns samples lo to hi-1. It reports samples that cannot be read,
	// naming the file.
	Batch(ctx context.Context, lo, hi int) (Batch, error)
	// Prepared describes the preprocessing in the syntax of a specification.
	Prepared() string
}

// Kind is one sort of data that a specification can name.
type Kind struct {
	Name    string
	Usage   string // the specification's form
	Doc     string // one line
	Options []string
	open    func(s Spec) (Set, error)
}

// Kinds lists the sorts of data, in alphabetical order.
func Kinds() []Kind { return kinds }

var kinds = []Kind{
	{"cifar10", "cifar10:FILE[,FILE...]", "CIFAR-10 binary batches", imageOptions, openCIFAR},
	{"idx", "idx:DIR", "IDX files of the MNIST family: one *images* and one *labels* file", imageOptions, openIDX},
	{"images", "images:DIR", "JPEG, PNG, GIF, BMP, TIFF or WebP files in one folder per class, or listed in labels.csv (file,label)", imageOptions, openImages},
	{"npz", "npz:FILE", "NumPy arrays by input name; 'labels', when present, holds the classes", []string{"input"}, openNPZ},
	{"sts", "sts:FILE", "pairs of sentences with scores in an .npz file: arrays a_INPUT, b_INPUT and scores; measures Spearman's correlation of the cosine of mean token vectors with them", nil, openSTS},
	{"tokens", "tokens:FILE", "token sequences in an .npz array; measures the mean negative log-likelihood of the next token", []string{"input"}, openTokens},
}

// Spec is a parsed data specification.
type Spec struct {
	Text  string
	Kind  string
	Paths []string
	query url.Values
}

// ParseSpec splits "kind:path[,path...][?option=value&...]" and checks kind and
// option names.
func ParseSpec(text string) (Spec, error) {
	kind, rest, ok := strings.Cut(text, ":")
	if !ok || rest == "" {
		return Spec{}, fmt.Errorf("data %q: want KIND:PATH, such as cifar10:test.bin; kinds are %s", text, kindNames())
	}
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == kind })
	if i < 0 {
		return Spec{}, fmt.Errorf("data %q: unknown kind %q; kinds are %s", text, kind, kindNames())
	}
	path, query, _ := strings.Cut(rest, "?")
	q, err := url.ParseQuery(query)
	if err != nil {
		return Spec{}, fmt.Errorf("data %q: options: %w", text, err)
	}
	for name := range q {
		if !slices.Contains(kinds[i].Options, name) {
			return Spec{}, fmt.Errorf("data %q: %s has no option %q; it has %s", text, kind, name, strings.Join(kinds[i].Options, ", "))
		}
	}
	return Spec{Text: text, Kind: kind, Paths: strings.Split(path, ","), query: q}, nil
}

func kindNames() string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	return strings.Join(names, ", ")
}

// WithDefaults returns the specification with options of a query string added
// where it does not set them itself. Options that the kind does not have are
// left out.
func (s Spec) WithDefaults(query string) (Spec, error) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return s, fmt.Errorf("data defaults %q: %w", query, err)
	}
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == s.Kind })
	merged := url.Values{}
	for name, v := range q {
		if slices.Contains(kinds[i].Options, name) {
			merged[name] = v
		}
	}
	for name, v := range s.query {
		merged[name] = v
	}
	s.query = merged
	return s, nil
}

// Open opens the data. It reports missing files and options that make no sense.
func (s Spec) Open() (Set, error) {
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == s.Kind })
	set, err := kinds[i].open(s)
	if err != nil {
		return nil, fmt.Errorf("data %q: %w", s.Text, err)
	}
	if set.Len() == 0 {
		return nil, fmt.Errorf("data %q: no samples found", s.Text)
	}
	return set, nil
}

// Open parses a specification and opens it.
func Open(text string) (Set, error) {
	s, err := ParseSpec(text)
	if err != nil {
		return nil, err
	}
	return s.Open()
}

// Head is the first n samples of a set; all of them when n is 0 or too large.
func Head(s Set, n int) Set {
	if n <= 0 || n >= s.Len() {
		return s
	}
	return head{s, n}
}

type head struct {
	Set
	n int
}

func (h head) Len() int { return h.n }
