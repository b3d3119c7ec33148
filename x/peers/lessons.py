"""What the peers' methods that learn do to a network: one function per method.

    lessons.py METHOD NETWORK_FOLDER FOLDED.onnx WIDTHS ITERATIONS OUT.npy

quantises the network, of which FOLDED.onnx is a copy with its batch-norms folded,
to WIDTHS such as W4A8 in all layers, writes the outputs of the tool's own simulation
for the evaluation samples to OUT.npy and prints, as JSON, the seconds and processor
seconds that the tool took for everything but that, imports left out.
"""

import argparse
import dataclasses
import functools
import importlib
import importlib.metadata
import json
import re
import sys
import time
from typing import Callable

import numpy as np
import onnx

from samples import Network

THREADS = 2


@dataclasses.dataclass
class Lesson:
    """A tool's method; name is what pare's tables call it."""

    tool: str  # the package
    name: str
    steps: str
    apply: Callable  # (network, folded, bits of weights, bits of data, iterations) -> run(feed)
    modules: tuple
    iterates: bool = True

    @property
    def version(self):
        return importlib.metadata.version(self.tool)


def aimet(network, folded, w, a, iterations):
    from aimet_onnx import QuantizationSimModel, apply_adaround, int4, int8

    types = {4: int4, 8: int8}
    sim = QuantizationSimModel(onnx.load(folded), param_type=types[w], activation_type=types[a])
    feeds = list(network.calibration(network.batch))
    sim.compute_encodings(feeds)
    if iterations:
        apply_adaround(sim, feeds, num_iterations=iterations)
        sim.compute_encodings(feeds)
    return lambda feed: sim.session.run(None, feed)[0]


def brevitas(network, folded, w, a, iterations, method):
    import torch
    from brevitas_examples.imagenet_classification.ptq import learned_round_utils as rounds
    from brevitas_examples.imagenet_classification.ptq import ptq_common as ptq

    torch.set_num_threads(THREADS)
    model = torch_model(folded)
    name = onnx.load(folded, load_external_data=False).graph.input[0].name
    images = [(torch.from_numpy(feed[name]), torch.zeros(len(feed[name]))) for feed in network.calibration(network.batch)]
    quantised = ptq.quantize_model(
        model, backend="layerwise", weight_bit_width=w, act_bit_width=a, bias_bit_width=32, weight_quant_granularity="per_channel",
        act_quant_percentile=99.999, act_quant_type="sym", scale_factor_type="float_scale", quant_format="int", layerwise_first_last_bit_width=w,
        weight_param_method="stats", act_param_method="stats")
    quantised.eval()
    with torch.no_grad():
        quantised(images[0][0])
    ptq.calibrate(images, quantised)
    if method == "gptq":
        ptq.apply_gptq(images, quantised, act_order=True)
    elif method == "round":
        wishes = argparse.Namespace(
            learned_round="hard_sigmoid", learned_round_lr_scheduler="LinearLR", learned_round_iters=iterations, learned_round_lr=1e-3,
            learned_round_loss="regularised_mse", learned_round_batch_size=32, learned_round_mode="layerwise")
        rounds.apply_learned_round(quantised, images, wishes)
    quantised.eval()

    def run(feed):
        with torch.no_grad():
            return quantised(torch.from_numpy(feed[name])).numpy()

    return run


def torch_model(path):
    """The network as PyTorch modules, with any number of samples."""
    import onnx2torch

    return onnx2torch.convert(path).eval()


LESSONS = {
    "aimet-nearest": Lesson("aimet-onnx", "nearest", "QuantizationSimModel().compute_encodings()", aimet, ("aimet_onnx",), False),
    "aimet-adaround": Lesson("aimet-onnx", "AdaRound", "apply_adaround(num_iterations=ITERATIONS)", aimet, ("aimet_onnx",)),
    "brevitas-nearest": Lesson("brevitas", "nearest", "quantize_model(backend='layerwise')",
                               functools.partial(brevitas, method=""), ("brevitas", "onnx2torch"), False),
    "brevitas-gptq": Lesson("brevitas", "GPTQ", "apply_gptq(act_order=True)",
                            functools.partial(brevitas, method="gptq"), ("brevitas", "onnx2torch"), False),
    "brevitas-adaround": Lesson("brevitas", "AdaRound", "apply_learned_round(layerwise, iters=ITERATIONS, batch_size=32)",
                                functools.partial(brevitas, method="round"), ("brevitas", "onnx2torch")),
}


def main():
    method, folder, folded, widths, iterations, out = sys.argv[1:]
    network, lesson = Network(folder), LESSONS[method]
    for module in lesson.modules:
        importlib.import_module(module)
    w, a = map(int, re.fullmatch(r"W(\d)A(\d)", widths).groups())
    wall, cpu = time.perf_counter(), time.process_time()
    run = lesson.apply(network, folded, w, a, int(iterations) if lesson.iterates else 0)
    took = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    np.save(out, np.concatenate([run(feed).reshape(len(next(iter(feed.values()))), -1) for feed in network.feeds("evaluation", network.batch)]))
    print(json.dumps(took))


if __name__ == "__main__":
    main()
