package group

// union merges channels into classes, each with the first reason why it must
// stay as it is.
type union struct {
	parent []int
	pinned []string // by root
}

// fresh makes n new classes.
func (u *union) fresh(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = len(u.parent)
		u.parent = append(u.parent, out[i])
		u.pinned = append(u.pinned, "")
	}
	return out
}

// find returns the root of a class: its oldest member.
func (u *union) find(a int) int {
	for u.parent[a] != a {
		u.parent[a] = u.parent[u.parent[a]]
		a = u.parent[a]
	}
	return a
}

// join merges two lists of classes one by one.
func (u *union) join(a, b []int) {
	for i := range a {
		x, y := u.find(a[i]), u.find(b[i])
		if x > y {
			x, y = y, x
		}
		u.parent[y] = x
		if u.pinned[x] == "" {
			u.pinned[x] = u.pinned[y]
		}
	}
}

// pin fixes classes for a reason; an earlier reason stays.
func (u *union) pin(list []int, why string) {
	for _, a := range list {
		if r := u.find(a); u.pinned[r] == "" {
			u.pinned[r] = why
		}
	}
}

// fixed reports whether all classes of a list are pinned.
func (u *union) fixed(list []int) bool {
	for _, a := range list {
		if u.pinned[u.find(a)] == "" {
			return false
		}
	}
	return true
}
