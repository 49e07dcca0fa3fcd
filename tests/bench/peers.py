#!/usr/bin/env python3
"""Times the networks of bench_train in PyTorch and in Keras on TensorFlow, alternating with it, and prints ratios.

usage: peers.py BENCH_TRAIN [--drawn SEED] [--images N] [--rounds N] [--only TEXT] [--without torch|keras]

Needs `pip install torch numpy` or `pip install tensorflow-cpu keras`, or both. Everybody trains the same networks on the
same number of images with the same batches and Adam; for each the shortest epoch counts, after one that warms up. Of each
library the best of its options counts: PyTorch contiguous and channels-last, eager and compiled; Keras with and without
XLA; and the same in bfloat16. glibc's malloc is told to keep large buffers, which PyTorch needs to be fast.
"""
import argparse
import math
import os
import re
import subprocess
import sys
import time

BATCH = 250
MALLOC = {"MALLOC_MMAP_THRESHOLD_": "17179869184", "MALLOC_TRIM_THRESHOLD_": "17179869184"}
OPTIONS = {
    "torch": ["eager", "eager channels-last", "compiled", "compiled channels-last"],
    "keras": ["graph", "xla"],
}


def layers_of(text):
    """The layers of a canonical text: kind, numbers of the inputs from 0, options."""
    for line in text.split(";"):
        kind, inputs, options = re.fullmatch(r"\d+ (\w+)(?:\(([\d,]+)\))?((?: \w+=\S+)*)", line).groups()
        inputs = [int(i) - 1 for i in inputs.split(",")] if inputs else []
        yield kind, inputs, dict(option.split("=") for option in options.split())


def pair(text):
    return tuple(int(n) for n in text.split(","))


# ---- PyTorch ----------------------------------------------------------------------------------------------------


def torch_seconds(text, option, bf16, images, epochs=2):
    import torch
    import torch.nn as nn
    import torch.nn.functional as F

    torch._dynamo.reset()

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.steps, shapes = [], []
            for kind, inputs, o in layers_of(text):
                shape, module = shapes[inputs[0]] if inputs else None, None
                if kind == "input":
                    shape = (int(o["channels"]), *pair(o["size"]))
                elif kind == "conv2d":
                    kernel, stride, filters = pair(o["kernel"]), pair(o["stride"]), int(o["filters"])
                    out = [-(-size // s) for size, s in zip(shape[1:], stride)]
                    pads = [max((n - 1) * s + k - size, 0) for n, s, k, size in zip(out, stride, kernel, shape[1:])]
                    module = nn.Conv2d(shape[0], filters, kernel, stride, bias=o["bias"] == "1")
                    nn.init.xavier_uniform_(module.weight)
                    o["pad"] = [pads[1] // 2, pads[1] - pads[1] // 2, pads[0] // 2, pads[0] - pads[0] // 2]
                    shape = (filters, *out)
                elif kind == "batch_norm":
                    module = nn.BatchNorm2d(shape[0])
                elif kind == "max_pool":
                    shape = (shape[0], *(size // 2 for size in shape[1:]))
                elif kind == "concat":
                    shape = (sum(shapes[i][0] for i in inputs), *shape[1:])
                elif kind in ("global_avg_pool", "flatten"):
                    shape = (shape[0],) if kind == "global_avg_pool" else (math.prod(shape),)
                elif kind == "dense":
                    module = nn.Linear(shape[0], int(o["units"]))
                    nn.init.xavier_uniform_(module.weight)
                    shape = (int(o["units"]),)
                elif kind != "relu":
                    raise ValueError(f"peers.py does not know the layer {kind}")
                if module:
                    self.add_module(str(len(self.steps)), module)
                self.steps.append((kind, inputs, o))
                shapes.append(shape)

        def forward(self, x):
            values = []
            for i, (kind, inputs, o) in enumerate(self.steps):
                y = values[inputs[0]] if inputs else x
                if kind == "conv2d":
                    y = getattr(self, str(i))(F.pad(y, o["pad"]) if any(o["pad"]) else y)
                elif kind in ("batch_norm", "dense"):
                    y = getattr(self, str(i))(y)
                elif kind == "relu":
                    y = F.relu(y)
                elif kind == "max_pool":
                    y = F.max_pool2d(y, 2)
                elif kind == "concat":
                    y = torch.cat([values[k] for k in inputs], 1)
                elif kind == "global_avg_pool":
                    y = y.mean((2, 3))
                elif kind == "flatten":
                    y = y.flatten(1)
                values.append(y)
            return y

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.manual_seed(0)
    layout = torch.channels_last if "channels-last" in option else torch.contiguous_format
    network = Network().to(memory_format=layout)
    run = torch.compile(network) if "compiled" in option else network
    optimizer = torch.optim.Adam(network.parameters(), 1e-3, eps=1e-7)
    x, y = torch.rand(images, 1, 28, 28), torch.randint(0, 10, (images,))
    best = math.inf
    for _ in range(1 + epochs):
        start, order = time.perf_counter(), torch.randperm(images)
        for i in range(0, images, BATCH):
            pick = order[i : i + BATCH]
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                loss = F.cross_entropy(run(x[pick].contiguous(memory_format=layout)), y[pick])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()
        warm, seconds = best == math.inf, time.perf_counter() - start
        best = 1e9 if warm else min(best, seconds)
    return best


# ---- Keras ------------------------------------------------------------------------------------------------------


def keras_seconds(text, option, bf16, images, epochs=2):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import numpy
    from keras import layers

    keras.utils.clear_session()
    keras.mixed_precision.set_global_policy("mixed_bfloat16" if bf16 else "float32")
    values = []
    for kind, inputs, o in layers_of(text):
        x = [values[i] for i in inputs]
        if kind == "input":
            y = layers.Input((*pair(o["size"]), int(o["channels"])))
        elif kind == "conv2d":
            y = layers.Conv2D(
                int(o["filters"]), pair(o["kernel"]), strides=pair(o["stride"]), padding="same", use_bias=o["bias"] == "1"
            )(x[0])
        elif kind == "dense":
            y = layers.Dense(int(o["units"]), dtype="float32")(x[0])
        else:
            y = {
                "batch_norm": lambda: layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x[0]),
                "relu": lambda: layers.ReLU()(x[0]),
                "max_pool": lambda: layers.MaxPooling2D(2)(x[0]),
                "concat": lambda: layers.Concatenate()(x),
                "global_avg_pool": lambda: layers.GlobalAveragePooling2D()(x[0]),
                "flatten": lambda: layers.Flatten()(x[0]),
            }[kind]()
        values.append(y)

    class Clock(keras.callbacks.Callback):
        best = math.inf

        def on_epoch_begin(self, epoch, logs=None):
            self.start = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            if epoch > 0:
                self.best = min(self.best, time.perf_counter() - self.start)

    clock, dice = Clock(), numpy.random.default_rng(0)
    model = keras.Model(values[0], values[-1])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3, epsilon=1e-7), loss, jit_compile=option == "xla")
    x, y = dice.random((images, 28, 28, 1), numpy.float32), dice.integers(0, 10, images)
    model.fit(x, y, batch_size=BATCH, epochs=1 + epochs, verbose=0, callbacks=[clock])
    return clock.best


# ---- A process for each library -----------------------------------------------------------------------------------


def work(library):
    """Reads lines of option, bf16, images and text; answers each with seconds, or with what went wrong."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    seconds_of = {"torch": torch_seconds, "keras": keras_seconds}[library]
    for line in sys.stdin:
        option, bf16, images, text = line.rstrip("\n").split("\t")
        try:
            print(seconds_of(text, option, bf16 == "1", int(images)), file=answers, flush=True)
        except Exception as problem:
            print("failed:", str(problem).split("\n")[0], file=answers, flush=True)


class Peer:
    def __init__(self, library):
        self.library = library
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--work", library],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, **MALLOC},
        )

    def seconds(self, option, bf16, images, text):
        print(option, int(bf16), images, text, sep="\t", file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().strip()
        try:
            return float(answer)
        except ValueError:
            print(f"{self.library} {option}: {answer or 'the process ended'}", file=sys.stderr)
            return math.inf


def installed(library):
    modules = {"torch": "torch", "keras": "keras, tensorflow"}[library]
    return subprocess.run([sys.executable, "-c", f"import {modules}"], capture_output=True).returncode == 0


# ---- The table ----------------------------------------------------------------------------------------------------


def ours(program, name, drawn, images):
    command = [program, "--child", name, "--images", str(images)] + (["--drawn", drawn] if drawn else [])
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def geometric_mean(numbers):
    return math.exp(sum(math.log(n) for n in numbers) / len(numbers))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", metavar="BENCH_TRAIN")
    parser.add_argument("--drawn", metavar="SEED", help="20 networks drawn by the seed in place of the fixed list")
    parser.add_argument("--images", type=int, default=10000, help="images of an epoch (default 10000)")
    parser.add_argument("--rounds", type=int, default=2, help="how often everybody has a turn (default 2)")
    parser.add_argument("--only", default="", metavar="TEXT", help="networks whose names have this text in them")
    parser.add_argument("--without", action="append", default=[], choices=list(OPTIONS))
    args = parser.parse_args()
    listing = [args.program, "--list"] + (["--drawn", args.drawn] if args.drawn else [])
    children = [line.split("\t") for line in subprocess.check_output(listing, text=True).splitlines()]
    peers = [Peer(library) for library in OPTIONS if library not in args.without and installed(library)]
    if not peers:
        sys.exit("peers.py: neither torch nor keras with tensorflow is installed for this Python")
    print(f"Seconds for {args.images} images, best of {args.rounds} rounds; ratios: peer / LuaNAS")
    print(f"{'child':48} {'LuaNAS':>8} | {'fp32':>8} {'ratio':>6} {'by':32} | {'bf16':>8} {'ratio':>6} by")
    ratios = {False: [], True: []}
    for name, _, text in children:
        if args.only not in name:
            continue
        own, best = math.inf, {False: (math.inf, "-"), True: (math.inf, "-")}
        for _ in range(args.rounds):
            for peer in peers:
                for bf16 in best:
                    own = min(own, ours(args.program, name, args.drawn, args.images))
                    for option in OPTIONS[peer.library]:
                        seconds = peer.seconds(option, bf16, args.images, text)
                        best[bf16] = min(best[bf16], (seconds, f"{peer.library} {option}"))
        row = f"{name:48} {own:8.3f}"
        for bf16, (seconds, by) in best.items():
            ratios[bf16].append(seconds / own)
            row += f" | {seconds:8.3f} {seconds / own:6.2f} {by:{0 if bf16 else 32}}"
        print(row, flush=True)
    for bf16, kind in ((False, "fp32"), (True, "bf16")):
        print(f"against the best {kind}: geometric mean {geometric_mean(ratios[bf16]):.2f}, least {min(ratios[bf16]):.2f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2])
    else:
        main()
