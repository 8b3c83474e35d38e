"""The loop itself: how short the way is from a call of `train` to the first product."""

import traceback
from pathlib import Path

import downslope as ds
from downslope.nn import fusion

SOURCE = str(Path(ds.__file__).parent)
MOST = 9  # functions that a reader goes through, both ends counted


def test_few_functions_lie_between_train_and_a_product(monkeypatch):
    paths, product = [], fusion.dense_product

    def dense_product(*arguments, **settings):
        stack = traceback.extract_stack()
        paths.append([one.name for one in stack if one.filename.startswith(SOURCE)])
        return product(*arguments, **settings)

    monkeypatch.setattr(fusion, "dense_product", dense_product)
    ds.train("dense 3 tanh, dense 2", "xor", optimizer="sgd", epochs=1)
    in_step = [path[path.index("train") :] for path in paths if "backpropagate" in path]
    assert len(in_step) == 2  # one for each layer: a step is traced once
    for path in in_step:
        assert path[0] == "train"
        assert len([*path, "dense_product"]) <= MOST, path
