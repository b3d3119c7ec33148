package decompose

import (
	"context"
	"fmt"

	"pare/calib"
	"pare/compress"
	"pare/ir"
)

func init() {
	compress.Register(compress.Info{
		Name: "svd",
		Doc:  "write dense and convolutional layers as two layers of low rank in a row",
		Ref:  "[zhang15] Accelerating Very Deep Convolutional Networks for Classification and Detection, arXiv:1505.06798; [jaderberg14] Speeding up Convolutional Neural Networks with Low Rank Expansions, arXiv:1405.3866",
		New: func() compress.Method {
			return &SVD{Form: "auto", Weighted: true, Correct: true, Align: 8}
		},
	})
}

// SVD writes layers as products of two by singular value decomposition: of the
// least error for their rank, with regard to how much the channels vary that a
// layer reads.
type SVD struct {
	Rank     int     `json:"rank" doc:"rank of every layer; 0 to choose"`
	Energy   float64 `json:"energy" doc:"share of the energy of what a layer computes that its rank keeps; 0 to choose otherwise"`
	Error    float64 `json:"error" doc:"error of what a layer computes that its rank may cause, relative; 0 to choose otherwise"`
	MACs     float64 `json:"macs" doc:"share of the network's multiply-accumulates to keep, 0 to 1; 0 to choose otherwise"`
	Params   float64 `json:"params" doc:"share of the network's weights to keep, 0 to 1; 0 to choose otherwise"`
	Form     string  `json:"form" values:"auto|channel|spatial" doc:"how convolutions are cut: filters of a basis and 1x1, a column and a row of taps, or what loses less"`
	Weighted bool    `json:"weighted" doc:"weigh channels by how much they vary, from data or the network's own statistics"`
	Correct  bool    `json:"correct" doc:"move biases by what is left out on average"`
	Align    int     `json:"align" doc:"ranks are multiples of this"`
}

// Validate implements compress.Method.
func (q *SVD) Validate() error {
	return nil
}

// Needs implements compress.Calibrated: the moments of what layers read.
func (q *SVD) Needs(m *ir.Model, env *compress.Env) []calib.Request { return nil }

// Apply implements compress.Method.
func (q *SVD) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	return fmt.Errorf("not yet")
}
