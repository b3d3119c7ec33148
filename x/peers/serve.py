"""Runs a peer's engine for someone who measures: one request a line, one answer a line, in JSON.

    serve.py ENGINE [--model FILE]

ENGINE is ort (ONNX Runtime) or openvino. Requests:

    {"load": FILE, "threads": N, "inputs": {NAME: FILE.npy}}
    {"run": N}

The first answers {"engine": NAME AND VERSION, "seconds": [S]}, the second {"seconds": [S, ...]}, one for each
run; both with "peak_bytes", the most memory that the process has had, and "start_bytes", what it had before
the model. What goes wrong is answered as {"error": TEXT}. --model takes another file than the request names.
Between requests no thread computes or spins.
"""

import argparse
import importlib
import json
import os
import sys
import time

import numpy as np


class OnnxRuntime:
    def __init__(self):
        self.module = importlib.import_module("onnxruntime")
        self.name = "ONNX Runtime " + self.module.__version__

    def load(self, path, threads, feed):
        options = self.module.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.force_spinning_stop", "1")  # spins in a run, not after it
        session = self.module.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        binding = session.io_binding()
        for x in session.get_inputs():
            binding.bind_cpu_input(x.name, feed[x.name])
        for x in session.get_outputs():
            binding.bind_output(x.name, "cpu")
        return lambda: session.run_with_iobinding(binding)


class OpenVino:
    def __init__(self):
        self.module = importlib.import_module("openvino")
        self.name = "OpenVINO " + self.module.__version__.split("-")[0]

    def load(self, path, threads, feed):
        core = self.module.Core()
        model = core.read_model(path)
        model.reshape({x: feed[x.any_name].shape for x in model.inputs})
        hints = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        request = core.compile_model(model, "CPU", hints).create_infer_request()
        for x in model.inputs:
            request.set_tensor(x.any_name, self.module.Tensor(feed[x.any_name]))
        return request.infer


ENGINES = {"ort": OnnxRuntime, "openvino": OpenVino}


def memory(field):
    """VmHWM or VmRSS of this process in bytes, 0 where the system does not tell."""
    try:
        with open("/proc/self/status") as f:
            return next(int(line.split()[1]) * 1024 for line in f if line.startswith(field))
    except OSError:
        return 0


class Server:
    def __init__(self, engine, model):
        self.engine, self.model, self.once = ENGINES[engine](), model, None
        self.start = memory("VmRSS")

    def load(self, request):
        feed = {name: np.load(path) for name, path in request["inputs"].items()}
        begin = time.perf_counter()
        self.once = self.engine.load(self.model or request["load"], request["threads"], feed)
        return {"engine": self.engine.name, "seconds": [time.perf_counter() - begin]}

    def run(self, request):
        if not self.once:
            raise ValueError("nothing is loaded")
        times = []
        for _ in range(request["run"]):
            begin = time.perf_counter()
            self.once()
            times.append(time.perf_counter() - begin)
        return {"seconds": times}

    def answer(self, line):
        try:
            request = json.loads(line)
            out = self.load(request) if "load" in request else self.run(request)
            return out | {"start_bytes": self.start, "peak_bytes": memory("VmHWM")}
        except Exception as e:  # whatever it is, the other side wants to know
            return {"error": " ".join(str(e).split()) or type(e).__name__}


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("engine", choices=ENGINES)
    args.add_argument("--model", default="")
    a = args.parse_args()
    answers = os.fdopen(os.dup(1), "w")  # libraries that print go to standard error
    os.dup2(2, 1)
    server = Server(a.engine, a.model)
    for line in sys.stdin:
        print(json.dumps(server.answer(line)), file=answers, flush=True)


if __name__ == "__main__":
    main()
