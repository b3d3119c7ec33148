// Package train fits whole networks to data. A Trainer runs steps of gradient descent
// over samples in an order that depends on the seed alone, with augmentation, against
// labels, a teacher or both; it keeps zeros of pruned weights, can be interrupted and
// goes on with the same bits, and follows a network whose channels are removed between
// steps. Fit trains epoch by epoch and keeps the best network seen on samples held
// apart.
//
// References:
//
//	[hinton15] Distilling the Knowledge in a Neural Network, arXiv:1503.02531
//	[zhang18] mixup: Beyond Empirical Risk Minimization, arXiv:1710.09412
//	[he16] Deep Residual Learning for Image Recognition, arXiv:1512.03385
//	[wu21] Rethinking "Batch" in BatchNorm, arXiv:2105.07576
package train
