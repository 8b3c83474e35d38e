"""Each look at a run's test part is counted, in memory and in its folder."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

import downslope as ds
from downslope.reporting.report import tell
from downslope.runs.metric_text import evaluations_note, verdict
from downslope.runs.test_evaluations import FOLDER, EvaluationCount
from tests.plain import PLAIN


def test_looks_are_counted_across_openings_of_the_run(tmp_path):
    data = ds.load("xor")
    run = ds.train(ds.Network([ds.Dense(2)]), data, options=PLAIN, epochs=1)
    assert run.test_evaluations == 0
    run.measure(data.train), run.measure(data.validation)
    assert run.test_evaluations == 0
    ds.evaluate(run)
    assert run.test_evaluations == 1
    run.save(tmp_path / "r")
    run.test()
    opened = ds.open_run(tmp_path / "r")
    assert opened.test_evaluations == 2
    opened = opened.with_data()
    opened.baseline(), opened.intervals(opened.dataset.test)
    assert opened.test_evaluations == ds.open_run(tmp_path / "r").test_evaluations == 3
    opened.save(tmp_path / "copy")
    assert ds.open_run(tmp_path / "copy").test_evaluations == 3


def test_what_is_shown_again_is_no_other_look(tmp_path):
    first = EvaluationCount(tmp_path)
    again = first.without_another()
    assert again.note() == again.note() == first.count == 1  # nobody had looked before
    assert first.note() == 2
    assert again.note() == EvaluationCount(tmp_path).count == 2
    in_memory = EvaluationCount()
    assert in_memory.without_another().note() == in_memory.count == 1


def test_the_note_counts_and_says_what_to_do(tmp_path):
    run = ds.train(ds.Network([ds.Dense(2)]), ds.load("xor"), options=PLAIN, epochs=1).save(
        tmp_path / "a run"
    )
    run.test()
    assert evaluations_note(run) == "You have seen the test score once."
    run.test()
    advice = (
        "If you changed anything because of it, it is too optimistic. Check on new data: "
        f"downslope test '{tmp_path}/a run' --data NEW"
    )
    assert evaluations_note(run) == f"You have seen the test score twice. {advice}"
    run.test()
    assert evaluations_note(run) == f"You have seen the test score 3 times. {advice}"


@pytest.mark.parametrize("count", [1, 2, 9, 10])
def test_a_small_test_part_gives_no_interval_and_says_why(count):
    data = ds.load("waves")
    data = replace(data, test=data.test.take(np.arange(count)))
    run = ds.train(ds.Network([ds.Dense(1)]), data, options=PLAIN, epochs=1)
    found = run.intervals(data.test)
    said = verdict(run, run.test(), found, run.baseline())
    why = "(no 95 % interval: fewer than 10 samples are too few for one)"
    assert (found == {}) == (why in said) == (count < 10)
    assert ("(95 % interval " in said) == (count >= 10)
    told = tell(run)
    assert why in told.html if count < 10 else why not in told.html


def test_two_writers_never_count_as_one(tmp_path):
    both = [EvaluationCount(tmp_path), EvaluationCount(tmp_path)]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda one: [one.note() for _ in range(50)], both))
    assert both[0].count == both[1].count == 100


def test_no_look_where_it_cannot_be_counted(tmp_path):
    (tmp_path / FOLDER).write_text("in the way")
    with pytest.raises(ds.StorageError) as caught:
        EvaluationCount(tmp_path).note()
    assert str(caught.value).startswith(
        f"The test part of the run {tmp_path} is opened only where that can be counted. "
    )
