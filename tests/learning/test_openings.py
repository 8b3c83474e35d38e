"""Each look at a run's test part is counted, in memory and in its folder."""

from concurrent.futures import ThreadPoolExecutor

import pytest

import downslope as ds
from downslope.learning.openings import FOLDER, Openings


def test_looks_are_counted_across_openings_of_the_run(tmp_path):
    data = ds.load("xor")
    run = ds.train(ds.Network([ds.Dense(2)]), data, epochs=1)
    assert run.test_openings == 0
    run.measure(data.train), run.measure(data.validation)
    assert run.test_openings == 0
    run.test(), run.test_intervals(), run.baseline()
    assert run.test_openings == 1
    run.save(tmp_path / "r")
    run.test()
    opened = ds.open_run(tmp_path / "r")
    assert opened.test_openings == 2
    opened.baseline(), opened.test_intervals()
    assert opened.test_openings == ds.open_run(tmp_path / "r").test_openings == 3
    opened.save(tmp_path / "copy")
    assert ds.open_run(tmp_path / "copy").test_openings == 3


def test_two_writers_never_count_as_one(tmp_path):
    both = [Openings(tmp_path), Openings(tmp_path)]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda one: [one.note() for _ in range(50)], both))
    assert both[0].count == both[1].count == 100


def test_no_look_where_it_cannot_be_counted(tmp_path):
    (tmp_path / FOLDER).write_text("in the way")
    with pytest.raises(ds.StorageError) as caught:
        Openings(tmp_path).note()
    assert str(caught.value).startswith(
        f"The test part of the run {tmp_path} is opened only where that can be counted. "
    )
