"""The report of a run: whole, safe, counted, and the same words as elsewhere."""

import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

import downslope as ds
from downslope.plots.style import alt_text
from downslope.reporting.material import Material
from downslope.reporting.report import tell
from downslope.runs import outcome, run_folder
from downslope.runs.metric_text import verdict
from downslope.runs.test_evaluations import FOLDER, EvaluationCount
from tests.plain import PLAIN

KINDS = ("digits", "waves", "crowd", "table")
LONG = run_folder.Seconds(total=1e6, training=1e6, compiling=0)  # too long for a closer look
VOID = {"meta", "br", "img", "hr", "input", "link"}


class Page(HTMLParser):
    """The elements of a page, read as a browser reads them."""

    def __init__(self, html):
        super().__init__()
        self.open, self.all, self.texts = [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.all.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.all.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.texts.append(data)

    def named(self, tag):
        return [attributes for name, attributes in self.all if name == tag]

    @property
    def text(self):
        return " ".join("".join(self.texts).split())


@pytest.fixture(scope="module")
def pages(reports):
    return {name: Page(report.html) for name, report in reports.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_whole_and_points_nowhere(kind, pages, reports):
    page, html = pages[kind], reports[kind].html
    assert html.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert not re.search(r"https?:|//www|@import", html)
    tags = {name for name, _ in page.all}
    assert not tags & {"script", "link", "iframe", "object", "embed", "b", "form"}
    for _, attributes in page.all:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src", "xlink:href"):
            target = attributes.get(name, "#")
            assert target.startswith(("#", "data:image/png;base64,"))
    identities = [attributes["id"] for _, attributes in page.all if "id" in attributes]
    assert len(identities) == len(set(identities))
    used = re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', html)
    assert {one or other for one, other in used} <= set(identities)


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_has_its_headings_figures_and_tables_in_words(kind, pages, reports):
    page, report = pages[kind], reports[kind]
    headings = [one for one, _ in page.all if re.fullmatch("h[1-6]", one)]
    assert headings == ["h1", *["h2"] * len(report.chapters)]
    figures = page.named("svg")
    assert len(figures) == len(report.pictures) > 3
    for drawn, picture in zip(figures, report.pictures, strict=True):
        assert drawn["aria-label"] == alt_text(picture.figure) and len(drawn["aria-label"]) > 20
        assert drawn["role"] == "img" and drawn["viewbox"].startswith("0 0 648 ")
    assert len(page.named("caption")) == len(page.named("table")) > 3
    assert all(chapter.pieces for chapter in report.chapters)
    titles = [chapter.title for chapter in report.chapters]
    assert titles == [
        "The samples",
        "Predictions of the untrained network",
        "The loss: how wrong the predictions are",
        "Gradients: which way is down",
        "Steps against the gradient",
        "Epochs: all samples again and again",
        "Layers and the loss surface",
        "How good the network is",
        "How the training ended, and what to try",
        "All settings",
    ]


def test_names_full_of_html_are_shown_as_they_are(pages, reports, hostile_run):
    page = pages["table"]
    for text in ('<img src=x onerror="alert(1)">', "<script>alert(1)</script>", "a<b>"):
        assert text in page.text
    assert "onerror=" not in re.sub("&quot;|onerror=&quot;", "", reports["table"].html).replace(
        "src=x onerror=", ""
    )
    assert "<script" not in reports["table"].html and "<img" not in reports["table"].html


@pytest.mark.parametrize("kind", KINDS)
def test_the_figures_are_those_of_the_run(kind, pages, request):
    run = request.getfixturevalue("hostile_run" if kind == "table" else f"{kind}_run")
    run = replace(run.with_data(), evaluations=EvaluationCount())
    test = run.dataset.test
    said = verdict(run, run.measure(test), run.intervals(test), run.measure_baseline(test))
    assert said in pages[kind].text
    assert run.outcome.message in pages[kind].text and run.outcome.advice in pages[kind].text


def test_a_report_counts_as_a_first_look_and_as_no_other(digits_run, tmp_path):
    run = ds.open_run(replace(digits_run, seconds=LONG).save(tmp_path / "run").folder)
    shutil.rmtree(tmp_path / "run" / FOLDER, ignore_errors=True)
    text = Page(tell(run, with_test=False).html).text
    assert run.test_evaluations == 0
    assert ds.report(run) == tmp_path / "run" / "report.html"
    assert "You have seen the test score once." in (tmp_path / "run" / "report.html").read_text()
    assert ds.open_run(run.folder).test_evaluations == 1
    assert ds.report(ds.open_run(run.folder)) == tmp_path / "run" / "report.html"
    assert ds.open_run(run.folder).test_evaluations == 1
    assert "The test part was not used for this report" in text
    assert "on validation samples" in text and "test samples" not in text


def test_a_run_that_went_on_from_another_says_that_its_beginning_is_unknown(digits_run):
    more = ds.train(
        digits_run.network,
        digits_run.dataset,
        options=PLAIN,
        learning_rate=0.1,
        epochs=1,
        start=digits_run,
        seed=1,
    )
    text = Page(tell(more).html).text
    assert "Its initial weights are not known" in text
    assert "untrained network" not in text.replace("Predictions of the untrained network", "")


@pytest.mark.parametrize("part", [[0], []])
def test_a_tiny_test_part(waves_run, part):
    data = waves_run.dataset
    few = replace(data, test=data.test.take(np.array(part, int)))
    run = replace(waves_run, dataset=few, evaluations=EvaluationCount(), seconds=LONG)
    text = Page(tell(run).html).text
    assert ("The test part was empty" in text) == (not part)


def test_trainings_that_ended_badly(waves_run, digits_run):
    run = ds.train(
        waves_run.network, waves_run.dataset, options=PLAIN, learning_rate=50.0, epochs=5
    )
    assert run.outcome.reason == "non_finite"
    assert "Try a tenth of the learning rate" in Page(tell(run).html).text
    trace = replace(
        digits_run.trace,
        steps={name: column[:1] for name, column in digits_run.trace.steps.items()},
        epochs={name: column[:0] for name, column in digits_run.trace.epochs.items()},
    )
    stopped = replace(digits_run, trace=trace, outcome=outcome.interrupted(1, 1))
    assert "Stopped on request at step 1" in Page(tell(stopped).html).text
    nothing = replace(trace, steps={name: column[:0] for name, column in trace.steps.items()})
    Page(tell(replace(stopped, trace=nothing, outcome=outcome.interrupted(1, 0))).html)


def test_a_loss_of_the_users_own(waves_run):
    def mine(prediction, target):
        return ((prediction - target) ** 4).mean(axis=1)

    run = ds.train(
        waves_run.network, waves_run.dataset, options=PLAIN, loss=mine, learning_rate=0.01, epochs=1
    )
    assert "Here it is the mine. Smaller is better." in Page(tell(run).html).text


def test_all_figures_as_files(reports, tmp_path):
    paths = reports["digits"].save_figures(tmp_path / "new")
    names = [one.name for one in reports["digits"].pictures]
    assert names == [
        "samples", "loss-slope", "layer-gradients", "layer-movement", "loss", "generalization",
        "network", "layers", "filters", "neuron", "surface", "confusion", "mistakes",
    ]  # fmt: skip
    assert [path.name for path in paths] == [
        f"{name}.{kind}" for name in names for kind in ("png", "svg")
    ]
    assert "learning-rate" in [one.name for one in reports["waves"].pictures]


def test_messages(digits_run, tmp_path):
    with pytest.raises(ds.SettingError) as caught:
        ds.report(digits_run)
    assert str(caught.value) == (
        "The run was not saved, and no file was named for its report. Expected a path, or a run "
        'that has a folder. Write report(run, "report.html"), or save the run first.'
    )
    (tmp_path / "file").write_text("")
    with pytest.raises(ds.StorageError, match="cannot be written"):
        ds.report(digits_run, tmp_path / "file" / "report.html", with_test=False)


def test_the_story_follows_samples_of_all_classes_or_over_the_whole_range(
    hostile_run, waves_run, crowd_run, digits_run
):
    classes = Material(hostile_run).few.targets
    assert np.bincount(classes).tolist() == [3, 3]
    assert len(np.unique(Material(digits_run).few.targets)) == 6
    numbers = Material(waves_run).few.targets
    every = waves_run.dataset.train.targets
    assert (numbers.min(), numbers.max()) == (every.min(), every.max())
    assert Material(crowd_run).truths[0].endswith(" people")


def test_a_classifier_of_a_single_output():
    network = ds.Network([ds.Dense(8, "tanh"), ds.Dense(1)])
    run = ds.train(network, ds.load("xor"), options=PLAIN, loss="binary_cross_entropy", epochs=1)
    told = tell(replace(run, seconds=LONG))
    (picture,) = (one for one in told.pictures if one.name == "loss-slope")
    assert "y is the output, the higher the likelier different signs" in alt_text(picture.figure)
