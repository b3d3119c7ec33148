// Command measure regenerates the golden quality figures: accuracy, agreement
// with the original, file size and time of a set of recipes on real networks.
//
//	go run ./results/measure            # all networks
//	go run ./results/measure -only vit  # those whose name contains the text
//
//	go run ./results/measure -set datafree  # methods that need no data, by widths
//
// It rewrites results/quality.json and the table of README.md, or those of the
// set, results/datafree.json and results/datafree.md, and prints what changed. The networks are the assets (see internal/assets).
package main
