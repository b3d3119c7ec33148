package pare

import (
	"os"

	"pare/compress"
)

// DefaultRecipe is the preset that is used when no recipe is given.
const DefaultRecipe = compress.DefaultPreset

// ReadRecipe reads a recipe file and returns the recipe as one line, which
// Compress accepts.
func ReadRecipe(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	r, err := compress.ParseFile(text)
	if err != nil {
		return "", named(path, err)
	}
	return r.String(), nil
}

// CheckRecipe reports a recipe that Compress would refuse, and returns its
// canonical spelling.
func CheckRecipe(recipe string) (string, error) {
	r, err := compress.Parse(recipe)
	if err != nil {
		return "", err
	}
	return r.String(), nil
}
