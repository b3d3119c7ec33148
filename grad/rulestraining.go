package grad

import "pare/op"

// trainingRules are the rows of what stands for quantisers during training.
var trainingRules = []rule{
	{"FakePowerQuantize", op.TrainingDomain, lowerFakePower},
	{"FakeQuantize", op.TrainingDomain, lowerFakeQuantize},
	{"Mix", op.TrainingDomain, lowerMix},
	{"PowerLatent", op.TrainingDomain, lowerPowerLatent},
	{"SoftRound", op.TrainingDomain, lowerSoftRound},
}
