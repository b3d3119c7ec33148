package compress

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Selection singles out layers by name. The first selection that matches a
// layer counts.
type Selection struct {
	// Match is a pattern of layer names: "*" stands for any characters, "?" for
	// one.
	Match string `yaml:"match" json:"match"`
	// Skip leaves the layers as they are.
	Skip bool `yaml:"skip" json:"skip,omitempty"`
	// Bits is the width of the weights of these layers, 0 for the step's own.
	Bits int `yaml:"w" json:"w,omitempty"`
	// ActivationBits is the width of the data that these layers read, 0 for the
	// step's own; FloatBits leaves it in float.
	ActivationBits int `yaml:"a" json:"a,omitempty"`
}

// FloatBits is the width that stands for data left in float.
const FloatBits = 32

// String is the spelling behind the ";" of a recipe.
func (s Selection) String() string {
	var what []string
	if s.Skip {
		what = append(what, "skip")
	}
	if s.Bits != 0 {
		what = append(what, fmt.Sprintf("w=%d", s.Bits))
	}
	if s.ActivationBits != 0 {
		what = append(what, fmt.Sprintf("a=%d", s.ActivationBits))
	}
	return s.Match + ":" + strings.Join(what, ",")
}

func (s Selection) validate() error {
	widths := s.Bits != 0 || s.ActivationBits != 0
	switch {
	case s.Match == "":
		return errors.New("a selection of layers needs a pattern")
	case strings.ContainsAny(s.Match, ";"):
		return fmt.Errorf("pattern %q: \";\" separates selections; write \"?\" for it", s.Match)
	case s.Skip == widths:
		return fmt.Errorf("selection %q: say either skip or a width", s.Match)
	case s.Bits != 0 && (s.Bits < 2 || s.Bits > 8):
		return fmt.Errorf("selection %q: w=%d is not in 2..8", s.Match, s.Bits)
	case s.ActivationBits != 0 && s.ActivationBits != FloatBits && (s.ActivationBits < 2 || s.ActivationBits > 8):
		return fmt.Errorf("selection %q: a=%d is neither in 2..8 nor %d for float", s.Match, s.ActivationBits, FloatBits)
	}
	return nil
}

// selected applies s to a layer that it matches.
func (l *Layer) selected(s Selection) {
	l.Bits, l.ActivationBits = s.Bits, s.ActivationBits
	if !s.Skip {
		return
	}
	reason := fmt.Sprintf("the recipe skips %q", s.Match)
	if l.SharesWith != "" {
		reason += "; its weights are those of " + l.SharesWith
	}
	l.Reason, l.SharesWith, l.Left = reason, "", true
}

func parseSelection(text string) (Selection, error) {
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		return Selection{}, fmt.Errorf("selection %q: write pattern:skip or pattern:w=8,a=8", text)
	}
	s := Selection{Match: strings.TrimSpace(text[:i])}
	for what := range strings.SplitSeq(text[i+1:], ",") {
		if err := s.set(strings.TrimSpace(what)); err != nil {
			return s, fmt.Errorf("selection %q: write pattern:skip or pattern:w=8,a=8", text)
		}
	}
	return s, nil
}

// set takes one of "skip", "w=8", "a=8".
func (s *Selection) set(what string) (err error) {
	key, value, _ := strings.Cut(what, "=")
	switch {
	case what == "skip":
		s.Skip = true
	case key == "w":
		s.Bits, err = strconv.Atoi(value)
	case key == "a":
		s.ActivationBits, err = strconv.Atoi(value)
	default:
		err = strconv.ErrSyntax
	}
	return err
}
