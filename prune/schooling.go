package prune

import (
	"fmt"

	"pare/train"
)

// Schooling are the parameters of training while a network is pruned. What they leave
// open is as the step tune has it.
type Schooling struct {
	Epochs  float64 `json:"epochs" doc:"passes over the data to train for, while channels go and after; 0 for none"`
	Entwine bool    `json:"entwine" doc:"with epochs, remove channels group by group, ranked anew each time, and train in between; otherwise remove all at once and train then"`
	Between float64 `json:"between" doc:"share of the training that is done while groups still go, when it is entwined"`
	Order   string  `json:"order" doc:"of the groups: from the input to the output, or back" values:"forward|backward"`
	LR      float64 `json:"lr" doc:"rate of training at its height; 0 for what the step tune takes"`
	Distil  float64 `json:"distil" doc:"share of the loss that is the distance from what the original network computes, the rest being that of labels; 1 where there are no labels"`
	BN      string  `json:"bn" doc:"statistics of batch-norms in training: those of the batch, and of 1,024 samples in the end, or frozen" values:"auto|train|frozen"`
}

var usualSchooling = Schooling{Entwine: true, Between: 0.3, Order: "forward", Distil: 1, BN: "auto"}

func (q *Schooling) check() error {
	switch {
	case !(q.Epochs >= 0 && q.Epochs <= 1e5):
		return fmt.Errorf("epochs=%v is not in 0..100000", q.Epochs)
	case !(q.Between >= 0 && q.Between <= 1):
		return fmt.Errorf("between=%v is not in 0..1", q.Between)
	case !(q.LR >= 0 && q.LR <= 100):
		return fmt.Errorf("lr=%v is not in 0..100", q.LR)
	case !(q.Distil >= 0 && q.Distil <= 1):
		return fmt.Errorf("distil=%v is not in 0..1", q.Distil)
	}
	return nil
}

// tune is the step that trains alike.
func (q *Schooling) tune() *train.Tune {
	t := train.NewTune()
	t.Batch, t.Rate, t.Distil, t.BN = trainedBatch, q.LR, q.Distil, q.BN
	return t
}

// trainedBatch is the number of samples of a step of training.
const trainedBatch = 64
