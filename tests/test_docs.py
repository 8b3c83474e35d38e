"""The examples that people read do what they say."""

import re
from pathlib import Path

import numpy as np
import pytest

import downslope as ds
from tests.runs import by_hand

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_tour_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert ds.open_run(tmp_path / "runs" / "mine").test()["accuracy"] > 0.95
    assert names["run"].test()["accuracy"] > 0.9
    assert len(names["found"].deltas) == 2
    assert (tmp_path / "runs" / "mine" / "run.json").is_file()
    assert "Trained for 20 epochs." in capsys.readouterr().out


def test_the_examples_of_python_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    names = {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "python.md", "exec"), names)
    said = capsys.readouterr().out.splitlines()
    assert "adam 0.003 one-cycle 40" in said
    assert "{'train': 360, 'validation': 40, 'test': 100}" in said
    assert names["run"].test()["accuracy"] > 0.8


@pytest.mark.peers
def test_the_examples_for_scikit_learn_run(capsys):
    pytest.importorskip("sklearn")
    page = (ROOT / "docs" / "scikit-learn.md").read_text(encoding="utf-8")
    names = {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "scikit-learn.md", "exec"), names)
    assert names["strong"].score(names["X_test"], names["y_test"]) > 0.9
    assert names["network"].score(names["X_test"], names["y_test"]) > 0.9
    assert names["search"].best_score_ > 0.9


def test_the_examples_of_slopes_run(capsys):
    page = (ROOT / "docs" / "insight.md").read_text(encoding="utf-8")
    block = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0]
    exec(compile(block, "insight.md", "exec"), {})
    assert capsys.readouterr().out == "22500.0 -300.0\n"


def test_the_examples_of_steps_neurons_and_layers_run(capsys):
    page = (ROOT / "docs" / "insight.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names = {}
    for block in blocks[[("trace_step" in one) for one in blocks].index(True) :][:4]:
        exec(compile(block, "insight.md", "exec"), names)
    assert "6  The same sample after the step" in capsys.readouterr().out
    assert names["chain"].product == pytest.approx(names["chain"].gradient, rel=1e-4)
    assert names["found"].scores.shape == (3, 64)


def photos(count=60):
    draw = np.random.default_rng(0)
    inputs = draw.normal(size=(count, 6, 8, 1)).astype(np.float32)
    part = ds.Samples(inputs, (inputs.mean(axis=(1, 2, 3)) > 0).astype(np.int32))
    return ds.Dataset("photos", "classification", part, part, part, ds.Scaling.learn(inputs, "all"),
                      class_names=("dark", "bright"))  # fmt: skip


@pytest.mark.parametrize(
    ("words", "data", "loss"),
    [
        ("", None, "cross_entropy"),
        ("conv 3 3 relu, max_pool 2, flatten, dense 2", photos, "cross_entropy"),
        ("dense 5 sigmoid, dense 4 relu, dense 2", by_hand.numbers_data, "huber"),
    ],
)
def test_the_loop_in_ten_lines_takes_the_steps_of_train(words, data, loss):
    page = (ROOT / "docs" / "insight.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    index = [("for epoch in range" in one) for one in blocks].index(True)
    names, losses = {}, []
    exec(compile(blocks[index - 1], "insight.md", "exec"), names)
    if data is not None:
        names.update(dataset=data(), network=ds.parse_network(words), loss=loss)
        own = names["dataset"]
        names["inputs"], names["targets"] = own.scaling.apply(own.train.inputs), own.train.targets
        names["parameters"] = names["network"].init(own.input_shape, seed=0)
    run = ds.train(
        names["network"], names["dataset"], loss=loss, optimizer="sgd", learning_rate=0.1,
        schedule="constant", batch_size=32, epochs=3, augment="none",
    )  # fmt: skip
    if run.target_scaling is not None:
        names["targets"] = run.target_scaling.apply(names["targets"])
    past = ds.replay(run)

    def seen(*given, **options):
        step = len(losses)
        for mine, theirs in zip(given[1], past.state(step).parameters, strict=True):
            for name in mine:
                np.testing.assert_allclose(mine[name], theirs[name], rtol=1e-5, atol=1e-6)
        found = ds.backpropagate(*given, **options)
        losses.append(float(found.loss))
        return found

    watched = blocks[index].replace("ds.backpropagate", "backpropagate")
    exec(compile(watched, "insight.md", "exec"), {**names, "backpropagate": seen})
    assert len(losses) == len(run.trace.batch_loss)
    unit = run.model.units.of_loss(run.loss)
    np.testing.assert_allclose(np.array(losses) * unit, run.trace.batch_loss, rtol=1e-5)


@pytest.mark.parametrize(
    "page", ["README.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
)
def test_every_link_and_picture_is_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)", text)
    missing = [
        link
        for link in links
        if "://" not in link and not (ROOT / page).parent.joinpath(link).exists()
    ]
    assert not missing


@pytest.mark.parametrize(
    "page", ["README.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
)
def test_every_link_to_a_heading_has_its_heading(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    missing = []
    for link, name in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", text):
        target = (ROOT / page).parent / link if link else ROOT / page
        heads = re.findall(r"^#+ (.*)", target.read_text(encoding="utf-8"), re.MULTILINE)
        names = [re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in heads]
        missing += [f"{link}#{name}"] if name not in names else []
    assert missing == []


WORDS = (
    "Activation function", "Backpropagation", "Batch", "Bias", "Chain rule", "Derivative", "Epoch",
    "Full batch", "Global minimum", "Gradient", "Gradient descent", "Label", "Layer",
    "Learning rate", "Local minimum", "Loss", "Loss surface", "Minibatch", "Network", "Neuron",
    "Overfitting", "Sample", "Sigmoid", "Signals", "Squared error", "Stochastic gradient descent",
    "Test set", "Training set", "Validation set", "Weight",
)  # fmt: skip


def test_the_glossary_explains_each_word_once_and_every_page_leads_to_it():
    docs = ROOT / "docs"
    page = (docs / "glossary.md").read_text(encoding="utf-8")
    entries = re.findall(r"^\*\*([^*]+)\*\*: ", page, re.MULTILINE)
    assert len(entries) == len(set(entries)) > len(WORDS)
    assert sorted(entries, key=str.lower) == entries
    assert set(WORDS) <= set(entries)
    leading = {word.lower() for word in re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", page)}
    assert leading - {"italics"} <= {
        form for one in entries for form in (one.lower(), f"{one.lower()}s")
    }
    for path in docs.glob("*.md"):
        if path.name != "glossary.md":
            assert "](glossary.md" in path.read_text(encoding="utf-8"), path.name
    assert "](docs/glossary.md" in README


def test_the_layout_page_names_every_file():
    page = (ROOT / "docs" / "layout.md").read_text(encoding="utf-8")
    source = ROOT / "src" / "downslope"
    floors = ("storage", "data", "nn", "engine", "runs", "insight")
    files = [
        path.relative_to(source / floor).as_posix()
        for floor in floors
        for path in (source / floor).rglob("*.py")
        if path.name != "__init__.py"
    ]
    assert [name for name in files if f"`{name}`" not in page] == []
    named = re.findall(r"`(?:\w+/)?(\w+\.py)`", page)
    there = {
        path.name for path in [*source.rglob("*.py"), *ROOT.glob("*.py"), *ROOT.glob("tests/*.py")]
    }
    assert [name for name in named if name not in there] == []
