// Command measure regenerates the golden quality figures: accuracy, agreement
// with the original, file size and time of a set of recipes on real networks.
//
//	go run ./results/measure                # README.md: the usual recipes
//	go run ./results/measure -set datafree  # methods that need no data, by widths
//	go run ./results/measure -set ablation  # one choice at a time, on held-out data
//	go run ./results/measure -set prune     # curves of pruning and decomposition
//	go run ./results/measure -set gradient  # methods that calibrate and learn, by widths
//	go run ./results/measure -set practice  # one choice of those that learn at a time, on held-out data
//
// A cell is a network and a column. What has figures of the same recipe and number
// of samples is kept, so a run that was stopped goes on; with -again everything is
// compressed anew, and measured anew where the written file differs. -networks and
// -columns choose cells by parts of their names, -samples tries on fewer samples
// and writes nothing, -heldout does so on other samples, which choices are made on,
// -render writes the page alone. Times of the curves are taken apart, by -time, on a
// machine that does nothing else; -files DIR keeps the compressed networks for that. -export writes the samples of
// a set for other tools (see x/peers), whose figures stand in results/peers.json.
//
// With -parallel cells are measured side by side, each by a process of its own with
// one thread, so that seconds and memory are its own; a machine of many processors
// goes through a set like this:
//
//	measure -set gradient -list >CELLS                                  # here; order and cut at will
//	measure -set gradient -cells CELLS -parallel 16 -rows ROWS -limit 9m  # there
//	measure -set gradient -merge ROWS                                   # here
//
// Figures are kept in results/SET.json and shown in results/SET.md, those of the
// usual recipes in results/quality.json and README.md. The networks are the assets
// (see internal/assets).
package main
