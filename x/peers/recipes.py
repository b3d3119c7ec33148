"""What the peers' tools do to a network: one function per recipe, one row of RECIPES each.

    recipes.py RECIPE NETWORK_FOLDER OUT

writes the compressed network to OUT and prints, as JSON, the seconds and
processor seconds that the tool took, imports left out. A recipe uses a tool's
defaults wherever its steps do not say otherwise.
"""

import dataclasses
import functools
import importlib.metadata
import json
import os
import sys
import tempfile
import time
from typing import Callable

import onnx

from samples import Network

AXES = 13  # the first opset whose quantisers have axes
IMAGES, PAIRS = "classification", "similarity"


@dataclasses.dataclass
class Recipe:
    """One way of using a tool; column and steps are what the tables show."""

    tool: str  # the package
    column: str
    widths: str
    steps: str
    apply: Callable  # (network, out)
    tasks: tuple = (IMAGES, PAIRS)
    data: bool = False  # whether it needs samples
    modes: tuple = ("exact", "run")  # of evaluate.py; the first one is the figure of the table
    suffix: str = ".onnx"
    below: int = 0  # only for networks of an opset below, where not 0

    def suits(self, network):
        return network.task in self.tasks and (not self.below or opset(onnx.load(network.file)) < self.below)

    @property
    def version(self):
        return importlib.metadata.version(self.tool)


def opset(model):
    return next(x.version for x in model.opset_import if x.domain in ("", "ai.onnx"))


def ready(network, folder):
    """The network as ONNX Runtime's documentation wants it: batch-norms folded, shapes inferred;
    of an opset that has quantisers with axes."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    path, out, model = network.file, os.path.join(folder, "ready.onnx"), onnx.load(network.file)
    if opset(model) < AXES:
        path = os.path.join(folder, "newer.onnx")
        onnx.save(onnx.version_converter.convert_version(model, AXES), path)
    quant_pre_process(path, out, auto_merge=True)  # with skip_symbolic_shape it would drop what it optimised
    return out


def static(network, out, weights="QInt8", activations="QInt8", **options):
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.feeds = network.calibration(network.batch)

        def get_next(self):
            return next(self.feeds, None)

    with tempfile.TemporaryDirectory() as folder:
        types = {"weight_type": QuantType[weights], "activation_type": QuantType[activations]}
        quantize_static(ready(network, folder), out, Reader(), **types, **options)


def dynamic(network, out, prepare=ready, **options):
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        quantize_dynamic(prepare(network, folder), out, weight_type=QuantType.QInt8, **options)


def matmul_nbits(network, out, bits, **options):
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    tool = MatMulNBitsQuantizer(onnx.load(network.file), bits=bits, block_size=32, is_symmetric=False, **options)
    tool.process()
    tool.model.save_model_to_file(out)


def openvino_rewrite(network, out, change):
    import openvino

    openvino.save_model(change(openvino.Core().read_model(network.file)), out)


def onnx_rewrite(network, out, change):
    onnx.save(change(onnx.load(network.file)), out)


def nncf_static(network, out, rewrite=onnx_rewrite):
    import nncf

    feeds = list(network.calibration(1))
    attention = any(node.op_type == "Softmax" for node in onnx.load(network.file).graph.node)
    kind = nncf.ModelType.TRANSFORMER if attention else None
    rewrite(network, out, lambda m: nncf.quantize(m, nncf.Dataset(feeds), subset_size=len(feeds), model_type=kind))


def nncf_weights(network, out, mode, scales=False):
    """Of OpenVINO's model: NNCF's ONNX backend has no 2 and 3 bits, and ONNX Runtime refuses what it writes for 4."""
    import nncf

    data = nncf.Dataset(list(network.calibration(1))) if scales else None
    options = {"mode": nncf.CompressWeightsMode[mode], "group_size": 32, "dataset": data, "scale_estimation": scales}
    openvino_rewrite(network, out, lambda m: nncf.compress_weights(m, **options))


ort = functools.partial(Recipe, "onnxruntime")
nncf = functools.partial(Recipe, "nncf")
openvino = functools.partial(nncf, modes=("openvino",), suffix=".xml")

RECIPES = {
    "ort-dynamic": ort("ONNX Runtime", "W8A8", "quantize_dynamic(per_channel=True)",
                       functools.partial(dynamic, per_channel=True)),
    "ort-dynamic-plain": ort("ONNX Runtime", "W8A8", "quantize_dynamic() of the file as it is",
                             functools.partial(dynamic, prepare=lambda network, _: network.file), tasks=()),
    "ort-static": ort("ONNX Runtime", "W8A8", "quantize_static(per_channel=True)",
                      functools.partial(static, per_channel=True), data=True),
    "ort-static-fast": ort("ONNX Runtime", "W8A8", "quantize_static(per_channel=True, activation_type=QUInt8)",
                           functools.partial(static, per_channel=True, activations="QUInt8"), tasks=(), data=True),
    "ort-static-int4": ort("ONNX Runtime", "W4A8", "quantize_static(per_channel=True, weight_type=QInt4)",
                           functools.partial(static, per_channel=True, weights="QInt4"), data=True),
    "ort-static-tensor": ort("ONNX Runtime, per tensor", "W8A8", "quantize_static()", static, data=True),
    "ort-static-matmul": ort("ONNX Runtime, MatMul alone", "W8A8", "quantize_static(per_channel=True, op_types_to_quantize=['MatMul'])",
                             functools.partial(static, per_channel=True, op_types_to_quantize=["MatMul"]), tasks=(PAIRS,), data=True),
    "ort-nbits4": ort("ONNX Runtime", "W4A16", "MatMulNBitsQuantizer(bits=4, block_size=32, is_symmetric=False)",
                      functools.partial(matmul_nbits, bits=4), tasks=(PAIRS,)),
    "ort-nbits4-fast": ort("ONNX Runtime", "W4A8", "MatMulNBitsQuantizer(bits=4, block_size=32, is_symmetric=False, accuracy_level=4)",
                           functools.partial(matmul_nbits, bits=4, accuracy_level=4), tasks=()),
    "ort-nbits2": ort("ONNX Runtime", "W2A16", "MatMulNBitsQuantizer(bits=2, block_size=32, is_symmetric=False)",
                      functools.partial(matmul_nbits, bits=2), tasks=(PAIRS,)),
    "nncf": nncf("NNCF", "W8A8", "quantize() of the ONNX model", nncf_static, data=True),
    "nncf-openvino": openvino("NNCF in OpenVINO", "W8A8", "quantize() of the OpenVINO model",
                              functools.partial(nncf_static, rewrite=openvino_rewrite), data=True, below=10),
    "nncf-int4": openvino("NNCF", "W4A16", "compress_weights(INT4_ASYM, group_size=32) of the OpenVINO model",
                          functools.partial(nncf_weights, mode="INT4_ASYM"), tasks=(PAIRS,)),
    "nncf-int4-scales": openvino("NNCF", "W4A16", "compress_weights(INT4_ASYM, group_size=32, scale_estimation=True) of the OpenVINO model",
                                 functools.partial(nncf_weights, mode="INT4_ASYM", scales=True), tasks=(PAIRS,), data=True),
    "nncf-int3": openvino("NNCF", "W3A16", "compress_weights(INT3_SYM, group_size=32) of the OpenVINO model",
                          functools.partial(nncf_weights, mode="INT3_SYM"), tasks=(PAIRS,)),
    "nncf-int2": openvino("NNCF", "W2A16", "compress_weights(INT2_SYM, group_size=32) of the OpenVINO model",
                          functools.partial(nncf_weights, mode="INT2_SYM"), tasks=(PAIRS,)),
}


def main():
    recipe, folder, out = sys.argv[1:]
    network, r = Network(folder), RECIPES[recipe]
    for package in {"onnxruntime": ["onnxruntime.quantization"], "nncf": ["nncf", "openvino"]}[r.tool]:
        importlib.import_module(package)
    wall, cpu = time.perf_counter(), time.process_time()
    r.apply(network, out)
    print(json.dumps({"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}))


if __name__ == "__main__":
    main()
