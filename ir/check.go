package ir

import (
	"fmt"
	"slices"
)

// Check reports the first broken invariant of g and its sub-graphs: every
// value produced once and before it is read, names unique, uses and producers
// consistent, constants as their type says.
func Check(g *Graph) error { return check(g, map[*Value]bool{}) }

func check(g *Graph, outer map[*Value]bool) error {
	seen := make(map[*Value]bool, len(outer))
	names := map[string]*Value{}
	for v := range outer {
		seen[v] = true
	}
	define := func(v *Value, by string) error {
		if seen[v] {
			return fmt.Errorf("value %q is produced twice, the second time by %s", v.Name, by)
		}
		if v.Name == "" {
			return fmt.Errorf("%s produces a value without a name", by)
		}
		if w := names[v.Name]; w != nil {
			return fmt.Errorf("two values are called %q, the second produced by %s", v.Name, by)
		}
		seen[v], names[v.Name] = true, v
		return nil
	}
	for _, v := range g.Inputs {
		if err := define(v, "the graph's inputs"); err != nil {
			return err
		}
	}
	for _, v := range g.Consts {
		if v.Const == nil {
			return fmt.Errorf("constant %q has no data", v.Name)
		}
		if slices.Contains(g.Inputs, v) {
			continue
		}
		if err := define(v, "the constants"); err != nil {
			return err
		}
	}
	for _, n := range g.Nodes {
		if err := checkNode(n, seen); err != nil {
			return err
		}
		for _, v := range n.Out {
			if v == nil {
				continue
			}
			if v.producer != n {
				return fmt.Errorf("%v: result %q records another producer", n, v.Name)
			}
			if err := define(v, n.String()); err != nil {
				return err
			}
		}
	}
	for _, v := range g.Outputs {
		if v == nil || !seen[v] {
			return fmt.Errorf("graph output %q is never produced", nameOf(v))
		}
	}
	return nil
}

func checkNode(n *Node, seen map[*Value]bool) error {
	if n.Op == "" {
		return fmt.Errorf("node %q has no operator", n.Name)
	}
	for i, v := range n.In {
		if v == nil {
			continue
		}
		if !seen[v] {
			return fmt.Errorf("%v reads %q, which is not produced before it", n, v.Name)
		}
		if !slices.Contains(v.uses, Use{n, i}) {
			return fmt.Errorf("%v reads %q without being listed among its uses", n, v.Name)
		}
	}
	for _, s := range n.Subgraphs() {
		if err := check(s, seen); err != nil {
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
