// Package optim holds the optimisers and schedules of training. An optimiser is one
// row of a table: how many moments it keeps of every weight, and how a step follows
// from them. Weights, gradients and moments are plain slices of equal length.
//
// References:
//
//	[sutskever13] On the importance of initialization and momentum in deep learning
//	[kingma15] Adam: A Method for Stochastic Optimization, arXiv:1412.6980
//	[dozat16] Incorporating Nesterov Momentum into Adam
//	[loshchilov19] Decoupled Weight Decay Regularization, arXiv:1711.05101
//	[loshchilov17] SGDR: Stochastic Gradient Descent with Warm Restarts, arXiv:1608.03983
//	[pascanu13] On the difficulty of training recurrent neural networks, arXiv:1211.5063
package optim
