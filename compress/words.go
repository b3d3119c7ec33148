package compress

import "fmt"

// didYouMean returns `, did you mean "x"?` for the closest candidate, or "".
func didYouMean(word string, candidates []string) string {
	best, at := 3, ""
	for _, c := range candidates {
		if d := distance(word, c); d < best && d < len(word) {
			best, at = d, c
		}
	}
	if at == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", at)
}

// distance is the number of insertions, deletions and replacements between two
// words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diag
			if a[i] != b[j] {
				d++
			}
			diag = row[j+1]
			row[j+1] = min(d, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// matchName reports whether a layer name matches a pattern with "*" and "?".
func matchName(pattern, name string) bool {
	star, back := -1, 0
	p, i := 0, 0
	for i < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, back = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[i]):
			p++
			i++
		case star >= 0:
			back++
			p, i = star+1, back
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
