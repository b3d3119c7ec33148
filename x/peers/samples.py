"""Networks and samples in the folders that `results/measure -export` writes."""

import json
import pathlib

import numpy as np


class Network:
    """One exported network: name, file, task, data (what calibrates it), batch."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.__dict__.update(json.loads((self.folder / "network.json").read_text()))
        if self.task not in ("classification", "similarity"):
            raise ValueError(f"{folder}: no figure of merit for the task {self.task}")

    def arrays(self, part):
        """The inputs of a part, "evaluation" or "calibration", by name, and its targets."""
        files = sorted((self.folder / part).glob("*.npy"))
        inputs = {f.stem: np.load(f, mmap_mode="r") for f in files}
        return inputs, inputs.pop("targets")

    def feeds(self, part, size):
        """What a part feeds to the network, so many samples at a time."""
        inputs, targets = self.arrays(part)
        for lo in range(0, len(targets), size):
            yield self.cut(inputs, lo, lo + size)

    def calibration(self, size):
        """Calibration samples, so many pictures at a time or sentence by sentence: padding would
        put the attention mask's large negative numbers into the ranges that tools record."""
        if self.task != "similarity":
            yield from self.feeds("calibration", size)
            return
        inputs, _ = self.arrays("calibration")
        for i, mask in enumerate(inputs["attention_mask"]):
            yield {name: np.array(x[i : i + 1, : mask.sum()]) for name, x in inputs.items()}

    def cut(self, inputs, lo, hi):
        """Samples lo to hi-1; those of sentences are pairs of rows, cut to the longest."""
        if self.task != "similarity":
            return {name: np.array(x[lo:hi]) for name, x in inputs.items()}
        rows = {name: np.array(x[2 * lo : 2 * hi]) for name, x in inputs.items()}
        width = int(rows["attention_mask"].any(axis=0).nonzero()[0].max()) + 1
        return {name: np.ascontiguousarray(x[:, :width]) for name, x in rows.items()}
