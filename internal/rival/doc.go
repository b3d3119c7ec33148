// Package rival times networks in engines that run in processes of their own.
//
// Both sides speak one JSON document a line: a Request on the other process's
// standard input, an Answer on its standard output. x/peers/serve.py is the other
// side for the peers, Serve for engines in Go. Between requests the other side
// neither computes nor spins, so that turns can be taken.
package rival

// Request is one line for the other side: a file to load or a number of runs.
type Request struct {
	Load    string            `json:"load,omitempty"` // the network's file
	Threads int               `json:"threads,omitempty"`
	Inputs  map[string]string `json:"inputs,omitempty"` // .npy files by input
	Run     int               `json:"run,omitempty"`    // that many runs, one after the other
}

// Answer is what comes back. Error is set where the request failed.
type Answer struct {
	Error   string    `json:"error,omitempty"`
	Engine  string    `json:"engine,omitempty"` // name and version, for a load
	Seconds []float64 `json:"seconds"`          // of the load, or of each run
	// Memory of the process in bytes, 0 where the system does not tell: before the
	// network was loaded, and the most so far.
	StartBytes int64 `json:"start_bytes"`
	PeakBytes  int64 `json:"peak_bytes"`
}
