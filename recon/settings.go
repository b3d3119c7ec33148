package recon

import (
	"fmt"
	"slices"

	"pare/grad/optim"
)

// Settings are the parameters that methods which learn by gradients share.
type Settings struct {
	Steps     int     `json:"steps" doc:"steps of learning for each unit"`
	Batch     int     `json:"batch" doc:"samples in a step; large units take fewer, so that a step of any unit costs about as much"`
	Samples   int     `json:"samples" doc:"samples to learn from, 0 for all of the data"`
	Unit      string  `json:"unit" doc:"what is fitted as a whole: residual blocks and the like, layers with the function behind them, or the network" values:"block|layer|network"`
	Loss      string  `json:"loss" doc:"error of a unit's output: mean square, mean of the 2.4th power, 1 - cosine, or square times the squared gradient of the network's loss; kl is the divergence of classes for the last unit and the mean square for others" values:"mse|lp|cosine|kl|fisher"`
	Variable  string  `json:"variable" doc:"how codes are learned: up or down by a sigmoid (AdaRound), over the whole grid by straight-through gradients, or there by a soft staircase" values:"h|ste|soft"`
	Bias      bool    `json:"bias" doc:"learn biases, too"`
	Scale     bool    `json:"scale" doc:"learn the scales of weights, too"`
	AScale    bool    `json:"ascale" doc:"learn the scales of data, too, where the base quantises them"`
	Rate      float64 `json:"rate" doc:"rate of the optimiser for codes, 0 for 0.1 with variable=h and for 0.01 of a step of the grid with others"`
	ARate     float64 `json:"arate" doc:"rate for scales and biases, relative to their size"`
	Optimizer string  `json:"optimizer" doc:"adam, adamax, nadam, adamw or sgd" values:"adam|adamax|nadam|adamw|sgd"`
	Schedule  string  `json:"schedule" doc:"how rates fall over the steps" values:"cosine|constant|linear|steps"`
	Lambda    float64 `json:"lambda" doc:"weight of the term that makes roundings decide, relative to the error at the start; with variable=h"`
	Beta      float64 `json:"beta" doc:"exponent of that term at first; it falls to 2"`
	Warmup    float64 `json:"warmup" doc:"share of the steps without that term"`
	Drop      float64 `json:"drop" doc:"share of the data within units that stays in float at random (QDrop)"`
	Input     string  `json:"input" doc:"what units read while they learn: what comes of the quantised layers before, of the original, or of either at random" values:"quantised|float|mix"`
	Select    string  `json:"select" doc:"which roundings are learned: all, those within a quarter of a step of the middle, or the half of largest weights" values:"all|unsure|important"`
	Start     string  `json:"start" doc:"codes at first: those of the base, or chosen on its grids so that each makes up for those before it (gptq)" values:"nearest|gptq"`
	Finish    string  `json:"finish" doc:"what is kept: the last state, or the best seen; the start where none is better" values:"last|best"`
	Augment   string  `json:"augment" doc:"changes of pictures: none, mirrored at random, or mixtures of two" values:"none|flip|mixup"`
}

// Defaults are settings for a method; edit makes them its own.
func Defaults(edit func(s *Settings)) Settings {
	s := Settings{
		Steps: 100, Batch: 32, Unit: Block, Loss: "mse", Variable: "ste", Bias: true, Scale: true, AScale: true, ARate: 5e-3, Optimizer: "adam", Schedule: "cosine",
		Lambda: 10, Beta: 20, Warmup: 0.2, Input: "quantised", Select: "all", Start: "gptq", Finish: "best", Augment: "none",
	}
	edit(&s)
	return s
}

// rate is that of codes.
func (s *Settings) rate() float64 {
	switch {
	case s.Rate != 0:
		return s.Rate
	case s.Variable == "h":
		return 0.1
	}
	return 0.01
}

// Validate reports the first setting that is none.
func (s *Settings) Validate() error {
	switch {
	case s.Steps < 0:
		return fmt.Errorf("steps=%d is negative", s.Steps)
	case s.Batch < 1:
		return fmt.Errorf("batch=%d is less than 1", s.Batch)
	case s.Samples < 0:
		return fmt.Errorf("samples=%d is negative", s.Samples)
	case !(s.Rate >= 0) || !(s.ARate > 0):
		return fmt.Errorf("rate=%v, arate=%v: rates are positive", s.Rate, s.ARate)
	case s.Lambda < 0:
		return fmt.Errorf("lambda=%v is negative", s.Lambda)
	case s.Beta < 2:
		return fmt.Errorf("beta=%v is less than 2", s.Beta)
	case s.Warmup < 0 || s.Warmup >= 1:
		return fmt.Errorf("warmup=%v is not in [0, 1)", s.Warmup)
	case s.Drop < 0 || s.Drop >= 1:
		return fmt.Errorf("drop=%v is not in [0, 1)", s.Drop)
	}
	if !slices.Contains(optim.Names(), s.Optimizer) {
		return fmt.Errorf("optimizer=%s is none of %v", s.Optimizer, optim.Names())
	}
	return nil
}
