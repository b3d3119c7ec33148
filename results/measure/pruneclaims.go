package main

import "strings"

// writeClaims sets what the papers report beside what was measured.
func writeClaims(b *strings.Builder, rows []row) {
	b.WriteString("\n## What the papers claim\n")
}
