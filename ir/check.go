package ir

import (
	"fmt"
	"slices"
)

// Check reports the first broken invariant of g and its sub-graphs: every
// value produced once and before it is read, names unique, uses and producers
// consistent, constants as their type says.
func Check(g *Graph) error { return check(g, nil) }

// check is Check for a graph that may read the values outer.
func check(g *Graph, outer map[*Value]bool) error {
	c := &checker{uses: map[*Value]map[Use]bool{}}
	return c.graph(g, &visible{values: outer})
}

// visible are the values that may be read at a place: those of the graph and
// those around it.
type visible struct {
	outer  *visible
	values map[*Value]bool
}

func (s *visible) has(v *Value) bool {
	for ; s != nil; s = s.outer {
		if s.values[v] {
			return true
		}
	}
	return false
}

// checker remembers the uses of values that have many.
type checker struct{ uses map[*Value]map[Use]bool }

// listed reports whether u is among the uses of v.
func (c *checker) listed(v *Value, u Use) bool {
	if len(v.uses) < 32 {
		return slices.Contains(v.uses, u)
	}
	set := c.uses[v]
	if set == nil {
		set = make(map[Use]bool, len(v.uses))
		for _, x := range v.uses {
			set[x] = true
		}
		c.uses[v] = set
	}
	return set[u]
}

func (c *checker) graph(g *Graph, outer *visible) error {
	size := len(g.Inputs) + len(g.Consts) + len(g.Nodes)
	s := &definitions{visible{outer, make(map[*Value]bool, size)}, make(map[string]bool, size)}
	for _, v := range g.Inputs {
		if err := s.define(v, "the graph's inputs"); err != nil {
			return err
		}
	}
	isInput := g.inputSet()
	for _, v := range g.Consts {
		if v.Const == nil {
			return fmt.Errorf("constant %q has no data", v.Name)
		}
		if isInput(v) {
			continue
		}
		if err := s.define(v, "the constants"); err != nil {
			return err
		}
	}
	for _, n := range g.Nodes {
		if err := c.node(n, &s.visible); err != nil {
			return err
		}
		if err := s.results(n); err != nil {
			return err
		}
	}
	for _, v := range g.Outputs {
		if v == nil || !s.has(v) {
			return fmt.Errorf("graph output %q is never produced", nameOf(v))
		}
	}
	return nil
}

// definitions are the values that a graph has produced so far.
type definitions struct {
	visible
	names map[string]bool
}

func (s *definitions) define(v *Value, by any) error {
	if s.has(v) {
		return fmt.Errorf("value %q is produced twice, the second time by %v", v.Name, by)
	}
	if v.Name == "" {
		return fmt.Errorf("%v produces a value without a name", by)
	}
	if s.names[v.Name] {
		return fmt.Errorf("two values are called %q, the second produced by %v", v.Name, by)
	}
	s.values[v], s.names[v.Name] = true, true
	return nil
}

func (s *definitions) results(n *Node) error {
	for _, v := range n.Out {
		if v == nil {
			continue
		}
		if v.producer != n {
			return fmt.Errorf("%v: result %q records another producer", n, v.Name)
		}
		if err := s.define(v, n); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) node(n *Node, seen *visible) error {
	if n.Op == "" {
		return fmt.Errorf("node %q has no operator", n.Name)
	}
	for i, v := range n.In {
		if v == nil {
			continue
		}
		if !seen.has(v) {
			return fmt.Errorf("%v reads %q, which is not produced before it", n, v.Name)
		}
		if !c.listed(v, Use{n, i}) {
			return fmt.Errorf("%v reads %q without being listed among its uses", n, v.Name)
		}
	}
	for _, s := range n.Subgraphs() {
		if err := c.graph(s, seen); err != nil {
			return fmt.Errorf("%v: sub-graph %q: %w", n, s.Name, err)
		}
	}
	return nil
}

func nameOf(v *Value) string {
	if v == nil {
		return ""
	}
	return v.Name
}
