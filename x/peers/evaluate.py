"""Runs a network file on the evaluation samples and keeps its outputs.

    evaluate.py NETWORK_FOLDER FILE OUTPUTS.npy MODE

MODE is exact (ONNX Runtime without any optimisation: every operator in float
between the quantisers of the file), run (ONNX Runtime as it comes) or openvino.
Outputs are scores of classes, or sentence vectors for pairs of sentences.
"""

import sys

import numpy as np

from metrics import sentence_vectors
from samples import Network

THREADS = 2


def onnxruntime(path, exact):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if exact:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    first = session.get_outputs()[0].name
    wanted = {x.name for x in session.get_inputs()}
    return lambda feed: session.run([first], {k: v for k, v in feed.items() if k in wanted})[0]


def openvino(path):
    import openvino as ov

    model = ov.Core().compile_model(path, "CPU", {"INFERENCE_NUM_THREADS": THREADS, "INFERENCE_PRECISION_HINT": "f32"})
    return lambda feed: model(feed)[model.output(0)]


def outputs(network, run):
    parts = []
    for feed in network.feeds("evaluation", network.batch):
        out = run(feed)
        if network.task == "similarity":
            parts.append(sentence_vectors(out, feed["attention_mask"]))
        else:
            parts.append(out.reshape(len(out), -1))
    return np.concatenate(parts)


def main():
    folder, path, out, mode = sys.argv[1:]
    run = openvino(path) if mode == "openvino" else onnxruntime(path, exact=mode == "exact")
    np.save(out, outputs(Network(folder), run))


if __name__ == "__main__":
    main()
