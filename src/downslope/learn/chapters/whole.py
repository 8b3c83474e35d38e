"""The whole: a network before and after its training, and where its memory is."""

from __future__ import annotations

import numpy as np

from downslope.data import load
from downslope.insight.network import network as network_view
from downslope.learn.chapter import Ask, Chapter, Question, Worked, must_be_whole, shown
from downslope.nn.notation import parse
from downslope.plots.network import network_figure
from downslope.plots.samples import sample_tiles
from downslope.runs.train import train
from downslope.text import Table

_EPOCHS = 10
_SHOWN = 12  # digits in the picture


def act(units: int) -> Worked:
    """Train a network on handwritten digits, and carry its weights and biases over to another."""
    data = load("digits")
    network = parse(f"dense {units} relu, dense 10")
    run = train(network, data, epochs=_EPOCHS, seed=0)
    must_be_whole(run.outcome)
    samples = data.validation
    untrained = run.model.at(network.init((64,), seed=1))
    before, after = (one.predict(samples.inputs) for one in (untrained, run))
    copied = untrained.at(run.parameters).predict(samples.inputs)
    right = [int((one == samples.targets).sum()) for one in (before, after, copied)]
    count = run.parameter_count
    rows = (
        ("untrained: weights drawn at random, biases 0", shown(right[0])),
        ("trained", shown(right[1])),
        ("untrained, given the weights and biases of the trained one", shown(right[2])),
    )
    told = (
        f"Your network reads 64 pixels, has {units} neurons in its first layer and 10 in its "
        f"second, one for each digit. It learnt from {len(data.train):,} images and was then "
        f"asked about others. In Downslope's notation it is: dense {units} relu, dense 10. "
        "(Dense: each neuron is connected to all of the layer before. Chapter 2 explains relu.)",
        "",
        Table(("network", f"right, of {len(samples.targets)} images"), rows, numeric=(1,)),
        "",
        f"The last two networks give the same answer for {int((copied == after).sum())} of "
        f"{len(after)} images. Nothing but numbers was carried over.",
    )
    question = Question(
        "How many weights and biases does your network have in all?",
        count,
        f"Each of the {units} neurons of the first layer has 64 weights, one for each pixel, and "
        f"1 bias. Each of the 10 neurons of the second layer has {units} weights and 1 bias.",
        f"{units} × (64 + 1) + 10 × ({units} + 1) = {shown(count)}. These numbers are all that "
        "the network has learnt.",
        tolerance=0,
    )
    captions = [
        f"{one}, then {two}" for one, two in zip(before[:_SHOWN], after[:_SHOWN], strict=True)
    ]
    return Worked(
        told,
        question,
        {
            "whole": lambda: sample_tiles(
                np.asarray(samples.inputs[:_SHOWN]).reshape(-1, 8, 8, 1),
                captions,
                title="The same images, before and after the training",
                subtitle="Above each image: the answer of the untrained network, then that of the "
                "trained one.",
            ),
            "whole-network": lambda: network_figure(network_view(run)),
        },
        after="Images with the answers of the untrained and of the trained network; and your "
        "network with its weights and the signals of one image, untrained and trained.",
    )


CHAPTER = Chapter(
    1,
    "whole",
    "The whole, and where its memory is",
    (
        "A neural network turns numbers into numbers. The brightness of each pixel of a picture "
        "goes in; ten numbers come out, one for each digit from 0 to 9, and the largest is the "
        "network's answer. The same kind of program sorts spam from mail, writes down speech and "
        "steers cars.",
        "Between input and output sit neurons in layers. Each is connected to the neurons of the "
        "layer before it. A connection has a weight, a number that says how strongly it counts. "
        "Each neuron also has a bias, a number of its own. Nobody types these numbers in. They "
        "start at random, and training on examples changes them until the answers are right.",
        "So where is what a network knows? Train one on images of handwritten digits and see: "
        "copy its weights and biases into a network that has never seen a digit.",
    ),
    (Ask("units", "neurons in the first layer", 16, 1, 128),),
    act,
    """
import downslope as ds

data = ds.load("digits")
network = ds.parse_network("dense $units relu, dense 10")
run = ds.train(network, data, epochs=10)
print(run.measure(data.validation))
print(run.parameter_count)
""",
    (
        ("nn/network.py", "a network: layers one after another"),
        ("nn/initializers.py", "how the first weights are drawn"),
        ("runs/run.py", "what a training leaves: weights, biases and how it went"),
    ),
    ('downslope train digits --network "dense 16 relu, dense 10"', "downslope network RUN"),
)
