"""Plain minibatch descent, for tests whose figures are about it: nothing is left to a recipe."""

import downslope as ds

PLAIN = ds.TrainOptions(
    optimizer="sgd",
    learning_rate=0.1,
    schedule="constant",
    batch_size=32,
    epochs=20,
    augment="none",
    label_smoothing=0.0,
    members=1,
    stop=ds.Stop(keep="last"),
)
