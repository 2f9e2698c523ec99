"""Write what the assistant ships: `python -m training.export PACK WEIGHTS FOLDER`.

`layers.onnx` is the graph of a part of the embedding model without its weights, which are put in
when it is loaded. `reader.onnx` is the reader from where question and passage meet, its matrices in
8 bits. Its verdicts are calibrated on one half of the documents that nothing is learnt from; what
they come to on the other half is printed.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxruntime.quantization.matmul_nbits_quantizer import (
    DefaultWeightOnlyQuantConfig,
    MatMulNBitsQuantizer,
)
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from assistant.e5 import LAYERS_IN_PART, WIDTH
from training.fit_reader import (
    HEADER,
    PASSAGE,
    QUESTION,
    SOURCE,
    VERDICT,
    Pack,
    judged,
    measure,
    states,
)
from training.network import APART, Layer, Reader

_AXES = {0: "texts", 1: "tokens"}


class Part(nn.Module):
    """Some layers: `x` (texts, tokens, width); `mask` (texts, tokens) is true where a token is."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS_IN_PART))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x, mask[:, None, None, :])
        return x


class Together(nn.Module):
    """A reader's upper layers and heads."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.reader = reader

    def forward(
        self, x: Tensor, there: Tensor, passage: Tensor, same: Tensor, sentence: Tensor
    ) -> tuple[Tensor, Tensor]:
        sentences, verdict, _ = self.reader.together(x, there, passage, same, sentence)
        return sentences, verdict


def write_layers(path: Path) -> None:
    """The graph of a part; its initializers stand in a file that need not exist."""
    part = Part().eval()
    for tensor in part.parameters():
        nn.init.normal_(tensor)  # equal ones would be stored once
    x, mask = torch.zeros(2, 8, WIDTH), torch.ones(2, 8, dtype=torch.bool)
    torch.onnx.export(
        part, (x, mask), str(path), input_names=["x", "mask"], output_names=["y"],
        dynamic_axes={"x": _AXES, "mask": _AXES}, dynamo=False, opset_version=17,
        do_constant_folding=False,
    )  # fmt: skip
    model = onnx.load(str(path))
    known = dict(part.named_parameters())
    for initializer in model.graph.initializer:
        if initializer.name in known:
            data = initializer.raw_data
            initializer.ClearField("raw_data")
            initializer.data_location = onnx.TensorProto.EXTERNAL
            for key, value in (("location", "none"), ("offset", "0"), ("length", str(len(data)))):
                entry = initializer.external_data.add()
                entry.key, entry.value = key, value
    path.write_bytes(model.SerializeToString())


def write_reader(reader: Reader, path: Path) -> None:
    """Matrices in 8 bits, each of their columns with a scale of its own."""
    x = torch.randn(2, 12, WIDTH)
    there = torch.ones(2, 12, dtype=torch.bool)
    passage = (torch.arange(12) > 4).expand(2, -1)
    sentence = torch.tensor([0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 0]).expand(2, -1)
    names = ["x", "there", "passage", "same", "sentence"]
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.onnx"
        torch.onnx.export(
            Together(reader.eval()), (x, there, passage, passage & ~passage, sentence), str(whole),
            input_names=names, output_names=["sentences", "verdict"], dynamo=False,
            opset_version=17,
            dynamic_axes={name: _AXES for name in names} | {"sentences": {0: "texts", 1: "most"}},
        )  # fmt: skip
        # By blocks and with the states in 8 bits by block too, hardly anything is lost; one scale
        # for all of a state loses a tenth of the first places.
        eight = DefaultWeightOnlyQuantConfig(block_size=64, bits=8, accuracy_level=4)
        quantizer = MatMulNBitsQuantizer(onnx.load(str(whole)), algo_config=eight)
        quantizer.process()
        path.write_bytes(quantizer.model.model.SerializeToString())


def calibrate(reader: Reader, pack: Pack) -> None:
    """Scale and shift the verdicts that a passage answers, so that they are probabilities."""
    found = pack.tried[pack.tried[:, VERDICT.start] >= 0]
    lower = states(reader, pack, APART, np.unique(found[:, [QUESTION, PASSAGE]]))
    made = judged(reader, pack, lower, found)
    half = [one for one in made if one[0][HEADER] % 2 == 0 and "claims" not in name(pack, one[0])]
    logits = np.array([[one[3][0]] for one in half])
    right = np.array([one[0][VERDICT.start] > 50 for one in half])
    # Each set and answer counts for as much as any other.
    kinds = [(one[0][SOURCE], answered) for one, answered in zip(half, right, strict=True)]
    weights = [1 / kinds.count(kind) for kind in kinds]
    model = LogisticRegression(C=100).fit(logits, right, weights)
    scale, shift = float(model.coef_[0, 0]), float(model.intercept_[0])
    last = reader.heads.verdict[-1]
    last.weight.data[0] *= scale
    last.bias.data[0] = last.bias.data[0] * scale + shift
    print(f"answered: {scale:.3f} x logit {shift:+.3f}; on the other half")
    rest = [one for one in made if one[0][HEADER] % 2]
    for one in rest:
        one[3][0] = one[3][0] * scale + shift
    for source, figures in measure(rest, pack.names).items():
        print(f"  {source:14}", *figures)


def name(pack: Pack, row: NDArray[np.int32]) -> str:
    return pack.names[row[SOURCE]]


def main() -> None:
    pack, weights, folder = map(Path, sys.argv[1:])
    packed = Pack(pack)
    reader = Reader(packed.e5)
    reader.load_state_dict({n: w.float() for n, w in torch.load(weights).items()}, strict=False)
    folder.mkdir(exist_ok=True)
    write_layers(folder / "layers.onnx")
    calibrate(reader, packed)
    write_reader(reader, folder / "reader.onnx")


if __name__ == "__main__":
    main()
