package op

// Table lists every operator pare knows, in alphabetical order, one line each.
var Table = []Def{
	reluDef,
}
