"""Which words of a text matter: each is left out once."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import downslope as ds
from downslope.cli.main import cli
from downslope.errors import DataError, SettingError
from tests.cli.conftest import documented
from tests.runs.test_texts import messages


@pytest.fixture(scope="module")
def run():
    return ds.train(data=messages(300), epochs=12)


def test_a_word_adds_what_the_prediction_lacks_without_it(run):
    text = "hello Tom, claim your FREE prize"
    found = ds.insight.word_contributions(run, text)
    assert found.words == ("hello", "Tom", ",", "claim", "your", "FREE", "prize")
    assert found.predicted == "spam"
    spam = run.data.class_names.index("spam")
    asked = [text, "hello Tom, claim your  prize", "FREE", ""]
    likely = run.probabilities(asked)[:, spam].astype(float)
    assert found.value == pytest.approx(likely[0], abs=1e-6)
    odds = np.log(likely / (1 - likely))
    added = (odds[0] - odds[1] + odds[2] - odds[3]) / 2
    assert found.contributions[5] == pytest.approx(added, abs=0.01)
    assert added > 0.5
    other = ds.insight.word_contributions(run, text, output="ham")
    np.testing.assert_allclose(other.contributions, -found.contributions, atol=1e-4)
    assert "claim" in str(found)


def test_a_text_without_words_and_one_with_too_many(run):
    none = ds.insight.word_contributions(run, " ")
    assert none.words == ()
    assert "The text has no word." in str(none)
    assert none.value == none.without


def test_what_cannot_be_explained_is_told(run):
    moons = ds.train("dense 2", "moons", epochs=1)
    with pytest.raises(DataError, match="has no column of texts"):
        ds.insight.word_contributions(moons, "free")
    with pytest.raises(DataError, match="The text is of type list"):
        ds.insight.word_contributions(run, ["free"])
    with pytest.raises(SettingError, match="spam"):
        ds.insight.word_contributions(run, "free", output="spa")


def test_the_command_tells_the_same(run, tmp_path):
    run.save(tmp_path / "r")

    def call(*words):
        return CliRunner().invoke(cli, [str(word) for word in words])

    found = ds.insight.word_contributions(run, "free cash")
    assert call("words", tmp_path / "r", "free cash").stdout.strip() == str(found).strip()
    plain = json.loads(call("words", tmp_path / "r", "free cash", "--json").stdout)
    assert set(plain) == documented("words")
    assert plain["words"] == ["free", "cash"]
