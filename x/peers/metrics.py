"""Figures of merit, as pare's eval defines them."""

import numpy as np


def ranks(x):
    """Ranks from 0; equal numbers share the mean of theirs."""
    values, index, counts = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return ((last - counts + last - 1) / 2)[index]


def spearman(x, y):
    return float(np.corrcoef(ranks(x), ranks(y))[0, 1])


def sentence_vectors(tokens, mask):
    """Normalised means of the token vectors [rows, length, size] that the mask leaves."""
    sums = (tokens.astype(np.float64) * mask[:, :, None]).sum(axis=1)
    return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-30)


def judge(task, outputs, reference, targets):
    """What a network's outputs are worth: against the targets, and against those of the float network.

    Outputs are rows of scores of classes, or sentence vectors, two rows a pair.
    """
    agreement = float((outputs.argmax(axis=1) == reference.argmax(axis=1)).mean())
    if task != "similarity":
        return {"top1": float((outputs.argmax(axis=1) == targets).mean()), "agreement": agreement}
    cosines = (outputs[0::2] * outputs[1::2]).sum(axis=1)
    near = float((outputs * reference).sum(axis=1).mean())
    return {"spearman": spearman(cosines, targets), "cosine": near, "agreement": agreement}
