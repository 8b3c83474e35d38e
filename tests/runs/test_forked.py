"""A process that was forked from one that had computed is told so, instead of waiting for ever."""

import multiprocessing

import numpy as np
import pytest

import downslope as ds
from downslope.engine import compilation
from tests.plain import PLAIN

NETWORK = ds.Network([ds.Dense(2)])


def work(what, run, predictions):
    try:
        if what == "train":
            ds.train(NETWORK, ds.load("xor"), options=PLAIN, epochs=1)
        elif what == "predict":
            run.predict(np.zeros((3, 2)))
        elif what == "test":
            run.test()
        elif what == "resume":
            ds.resume(run.folder, epochs=5)
        predictions.put("went through")
    except Exception as error:
        predictions.put(f"{type(error).__name__}: {error}")


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")
@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("what", ["train", "predict", "test", "resume"])
def test_what_would_hang_is_refused(tmp_path, what):
    run = ds.train(NETWORK, ds.load("xor"), options=PLAIN, epochs=1, folder=tmp_path / "run")
    context = multiprocessing.get_context("fork")
    predictions = context.Queue()
    process = context.Process(target=work, args=(what, run, predictions))
    process.start()
    said = predictions.get(timeout=60)
    process.join(60)
    assert said.startswith("SettingError: This process was forked from one that had trained or")
    assert said.endswith("or fork before the first training.")
    compilation.check_process()  # here all is as it was
