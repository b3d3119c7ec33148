package onnx

import (
	"fmt"

	"pare/ir"
)

// scope holds the values of a graph by name while it is read.
type scope struct {
	outer  *scope
	values map[string]*ir.Value
}

func newScope(outer *scope) *scope { return &scope{outer, map[string]*ir.Value{}} }

// define makes a new value.
func (s *scope) define(name string) (*ir.Value, error) {
	if name == "" {
		return nil, fmt.Errorf("a value without a name")
	}
	if s.values[name] != nil {
		return nil, fmt.Errorf("value %q is defined twice", name)
	}
	v := &ir.Value{Name: name}
	s.values[name] = v
	return v, nil
}

// find looks a name up here and then outwards; nil when it is unknown.
func (s *scope) find(name string) *ir.Value {
	for ; s != nil; s = s.outer {
		if v := s.values[name]; v != nil {
			return v
		}
	}
	return nil
}

// list finds operands; empty names are operands left out.
func (s *scope) list(names []string) ([]*ir.Value, error) {
	out := make([]*ir.Value, len(names))
	for i, name := range names {
		if name == "" {
			continue
		}
		if out[i] = s.find(name); out[i] == nil {
			return nil, fmt.Errorf("it reads %q, which nothing produces", name)
		}
	}
	return out, nil
}
