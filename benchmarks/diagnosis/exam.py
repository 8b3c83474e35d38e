"""The exam: the diagnosis of real programs beside their labels, their fixed twins, and peers."""

from __future__ import annotations

import hashlib
import json
import pickle
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import downslope as ds
from benchmarks.diagnosis.peers import PEERS
from benchmarks.diagnosis.programs import Program
from downslope.diagnosis import proof
from downslope.diagnosis.proof import LEAST_ROOM, Measured, Setup, Trial, Trials
from downslope.nn.notation import describe

LATER = 1000  # the first seed of trainings that the diagnosis did not see
ENOUGH = 0.9  # of what the twin gains
MATERIAL = 0.1  # of what separates the program from perfect: a twin that gains less shows no fault


class Store:
    """Trainings that were made, by setup and seed, so that none is made twice.

    The seconds of a training are those of the processor, so that another load of the machine does
    not change what fits into a budget.

    Args:
        folder: Where they are; made if it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._measure = proof.measure

    def measure(self, setup: Setup, seeds: Sequence[int]) -> Measured:
        """As `proof.measure`, of what is stored where it is."""
        path = self.folder / f"{_key(setup)}.pickle"
        known: dict[int, tuple[dict[str, float], int]] = {}
        seconds = training = 0.0
        if path.exists():
            known, training, seconds = pickle.loads(path.read_bytes())
        new = [one for one in seeds if one not in known]
        if new:
            began = time.process_time()
            found = self._measure(setup, new)
            spent = (time.process_time() - began) * len(seeds) / len(new)
            share = min(1.0, found.training / max(found.seconds, 1e-9))
            training, seconds = spent * share, spent
            for at, seed in enumerate(new):
                own = {name: float(values[at]) for name, values in found.metrics.items()}
                known[seed] = (own, found.steps)
            path.write_bytes(pickle.dumps((known, training, seconds)))
        rows = [known[one] for one in seeds]
        metrics = {name: np.array([own[name] for own, _ in rows]) for name in rows[0][0]}
        return Measured(metrics, max(steps for _, steps in rows), training, seconds)


def _key(setup: Setup) -> str:
    assert isinstance(setup.options.network, ds.Network)
    data = setup.dataset
    starts = [getattr(one, "initializer", "") for one in setup.options.network.layers]
    names = [getattr(one, "name", one) for one in starts]
    arrays = hashlib.sha256(np.ascontiguousarray(data.train.inputs).tobytes())
    arrays.update(np.ascontiguousarray(data.train.targets).tobytes())
    said = [
        describe(setup.options.network), names, repr(setup.options.replace(network=None, seed=0)),
        data.name, data.is_scaled, data.task, arrays.hexdigest(),
    ]  # fmt: skip
    return hashlib.sha256(repr(said).encode()).hexdigest()[:24]


def examine(program: Program, budget: float, seeds: int) -> dict[str, Any]:
    """One program: what is named, what is true, and what each change gains.

    Args:
        program: The program.
        budget: Seconds of the processor for the diagnosis's trainings.
        seeds: How many later trainings measure each change.

    Returns:
        A row of the table, for JSON.
    """
    row: dict[str, Any] = {
        "id": program.name, "half": program.half, "codes": program.codes, "true": program.true,
    }  # fmt: skip
    if program.is_refused:
        said = program.refused()
        row["door"] = {"says": said, "true": program.facts.says in said}
    if not program.is_trained:
        return row
    began = time.process_time()
    run = program.run()
    trained, began = time.process_time() - began, time.process_time()
    found = ds.diagnose(run, budget=budget)
    row["seconds"] = {"training": trained, "diagnosis": time.process_time() - began}
    row["score"], row["simple"] = found.score, found.simple_score
    row["findings"] = [_told(one) for one in found.findings]
    row["peers"] = {name: rules(run) for name, rules in PEERS.items()}
    later = _Later(run, seeds)
    before = later.trial(Setup.of(run))
    twin = later.trial(Setup.of(run).changed(program.facts.fix)) if program.facts.fix else None
    row["metric"], row["before"] = later.name, before.tolist()
    room = later.room(before)
    row["room"] = room
    row["twin"] = None if twin is None else twin.tolist()
    gain = 0.0 if twin is None else later.better(before, twin)
    row["reproduces"] = bool(gain > MATERIAL * room)
    faults = [one for one in found.findings if one.level == "fault"]
    row["named"] = [one.cause for one in faults]
    alone, chain, setup, last = [], [], Setup.of(run), None
    row["gains"] = []
    for one in faults:
        own = Setup.of(run).changed(one.change)
        better = later.better(before, later.trial(own)) if one.change else 0.0
        row["gains"].append(better / room)
        alone.append(better / gain if row["reproduces"] else None)
    for one in found.findings:
        if one.proof is None or one.proof == last:  # of faults that hide each other there is one
            continue
        last, first, setup = one.proof, later.full(setup), setup.changed(one.change)
        change = later.full(setup).metrics[last.metric] - first.metrics[last.metric]
        mean, (low, high) = float(change.mean()), last.interval
        chain.append(
            {
                "metric": last.metric,
                "told": [low, high],
                "later": mean,
                "held": bool(low <= mean <= high),
                "each": change.tolist(),
                "before": last.before,
                "steps": last.steps,
            }
        )
    row["alone"], row["effects"] = alone, chain
    if chain:
        together = later.trial(setup)
        row["together"] = together.tolist()
        row["recovered"] = later.better(before, together) / gain if row["reproduces"] else None
    row["is_true"] = [
        one in program.true or bool(own is not None and own >= ENOUGH)
        for one, own in zip(row["named"], alone, strict=True)
    ]
    return row


class _Later:
    """Trainings with seeds that the diagnosis did not see, to the end."""

    def __init__(self, run: ds.Run, seeds: int) -> None:
        self.trials = Trials(run, float("inf"))
        self.seeds = range(LATER, LATER + seeds)
        assert run.dataset is not None
        self.is_rising = "accuracy" in self.trials.baseline
        self.name = "accuracy" if self.is_rising else "rmse"

    def full(self, setup: Setup) -> Trial:
        found = self.trials.train(setup, self.seeds)
        assert found is not None
        return found

    def trial(self, setup: Setup) -> np.ndarray:
        return self.full(setup).metrics[self.name]

    def better(self, before: np.ndarray, after: np.ndarray) -> float:
        """By how much the mean is."""
        rise = float(after.mean() - before.mean())
        return rise if self.is_rising else -rise

    def room(self, before: np.ndarray) -> float:
        """What separates it from perfect; near that, a part of what separates a constant."""
        usual = self.trials.baseline[self.name]
        if self.is_rising:
            return float(max(1 - before.mean(), LEAST_ROOM * (1 - usual)))
        return float(max(before.mean(), LEAST_ROOM * usual))


def _told(one: ds.Finding) -> dict[str, Any]:
    told = one.proof
    return {
        "cause": one.cause, "level": one.level, "seen": one.seen,
        "change": {name: str(value) for name, value in one.change.items()},
        "proof": None if told is None else str(told),
    }  # fmt: skip


def summary(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The figures of acceptance, for some rows."""
    rows = list(rows)
    trained = [one for one in rows if "named" in one]
    faulty = [one for one in trained if one["codes"]]
    real = [one for one in faulty if one["reproduces"]]
    controls = [one for one in trained if not one["codes"]]
    doors = [one for one in rows if "door" in one]
    effects = [own for one in trained for own in one.get("effects", ())]
    return {
        "programs": len(rows),
        "doors": _share(one["door"]["true"] for one in doors),
        "all": _named(faulty),
        "reproduced": _named(real),
        "verified": _verified(faulty),
        "controls_without_a_fault": _share(not one["named"] for one in controls),
        "controls_without_a_false_fault": _share(
            all(own > MATERIAL for own in one["gains"]) for one in controls
        ),
        "recovered": _share((one.get("recovered") or 0) >= ENOUGH for one in real),
        "first_alone_recovers": _share(
            bool(one["alone"]) and (one["alone"][0] or 0) >= ENOUGH for one in real
        ),
        "held": _share(one["held"] for one in effects),
    }


def results(rows: list[dict[str, Any]], path: Path | None) -> None:
    """Print the figures of both halves and of all, and the peers' beside them; keep them."""
    halves = {half: [one for one in rows if one["half"] == half] for half in ("fitted", "kept")}
    found = {half: summary(own) for half, own in (*halves.items(), ("all", rows))}
    peers = {half: _peers(own) for half, own in (*halves.items(), ("all", rows))}
    for half, own in found.items():
        print(f"\n{half}")
        for name, value in (*own.items(), *peers[half].items()):
            print(f"  {name}: {value}")
    if path is not None:
        kept = [{name: row[name] for name in KEPT if name in row} for row in rows]
        path.write_text(
            json.dumps({"figures": found, "peers": peers, "programs": kept}, indent=1) + "\n"
        )


KEPT = (
    "id", "half", "codes", "named", "is_true", "alone", "recovered", "reproduces", "metric",
    "before", "twin", "together", "gains", "effects", "peers", "seconds",
)  # fmt: skip


def _peers(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The same of the peers' rules: a message is true where any cause that it can mean is."""
    found = {}
    trained = [one for one in rows if "named" in one]
    faulty, controls = ([one for one in trained if bool(one["codes"]) == is_faulty]
                        for is_faulty in (True, False))  # fmt: skip
    for name in PEERS:
        told = [
            [any(own in row["true"] for own in message) for message in row["peers"][name]]
            for row in faulty
        ]
        found[name] = {
            "first": _share(any(one[:1]) for one in told),
            "any": _share(any(one) for one in told),
            "messages": float(np.mean([len(one) for one in told])) if told else 0.0,
            "controls_without_a_message": _share(not row["peers"][name] for row in controls),
        }
    return found


def _named(rows: list[Mapping[str, Any]]) -> dict[str, Any]:
    kinds: dict[str, list[bool]] = {}
    for one in rows:
        kinds.setdefault(one["codes"][0], []).append(any(one["is_true"][:1]))
    means = [float(np.mean(own)) for own in kinds.values()]
    return {
        "first": _share(any(one["is_true"][:1]) for one in rows),
        "one_of_two": _share(any(one["is_true"][:2]) for one in rows),
        "faults": float(np.mean([len(one["named"]) for one in rows])) if rows else 0.0,
        "mean_over_kinds": float(np.mean(means)) if means else 0.0,
    }


def _verified(rows: list[Mapping[str, Any]]) -> dict[str, str]:
    """As verified by training: where the twin gains nothing, no fault is there to be named.

    Then that is right where nothing is named, or what is named is of the label's kind or helps.
    """

    def is_right(row: Mapping[str, Any], most: int) -> bool:
        if row["reproduces"]:
            return any(row["is_true"][:most])
        pairs = zip(row["is_true"], row["gains"], strict=True)
        return all(is_true or gain > MATERIAL for is_true, gain in pairs)

    return {
        "first": _share(is_right(one, 1) for one in rows),
        "one_of_two": _share(is_right(one, 2) for one in rows),
    }


def _share(found: Iterable[bool]) -> str:
    own = list(found)
    return f"{sum(own)}/{len(own)}"


def exam(
    programs: Sequence[Program],
    folder: Path,
    budget: float,
    seeds: tuple[int, int],
    *,
    again: bool,
) -> list[dict[str, Any]]:
    """Examine each program; rows are written as they come, and read where they are.

    Args:
        programs: The programs; those on images, which take longest, come last.
        folder: Where trainings and rows are kept.
        budget: Seconds of the processor for each diagnosis.
        seeds: How many later trainings measure each change, and how many on images.
        again: Diagnose again where there is a row; trainings that are stored are not made again.
    """
    store = Store(folder / "trainings")
    proof.measure, proof.now = store.measure, time.process_time
    rows = []
    for program in sorted(programs, key=lambda one: one.is_image):
        path = folder / f"{program.name}.json"
        if again or not path.exists():
            path.write_text(json.dumps(examine(program, budget, seeds[program.is_image]), indent=1))
        rows.append(json.loads(path.read_text()))
        print(_line(rows[-1]), flush=True)
    return rows


def _line(row: Mapping[str, Any]) -> str:
    door = "" if "door" not in row else "door ok | " if row["door"]["true"] else "DOOR SILENT | "
    if "named" not in row:
        return f"{row['id']} {door}"
    proofs = [
        f"{one['cause']} {one['change']} ({one['proof'] or 'guess'})"
        for one in row["findings"]
        if one["level"] == "fault"
    ]
    mark = (
        ("ok  " if not row["named"] else "ALARM")
        if not row["codes"]
        else "ok  " if any(row["is_true"][:1]) else "2nd " if any(row["is_true"][:2]) else "MISS"
    )  # fmt: skip
    twin = None if row["twin"] is None else round(float(np.mean(row["twin"])), 4)
    alone = [None if one is None else round(one, 2) for one in row["alone"]]
    held = "".join("y" if one["held"] else "n" for one in row["effects"])
    recovered = row.get("recovered")
    return (
        f"{mark} {row['half']} {door}{row['id']} {row['codes']} | {row['metric']} "
        f"{np.mean(row['before']):.4g} twin {twin}{'' if row['reproduces'] else ' (no gain)'} | "
        f"alone {alone} together {None if recovered is None else round(recovered, 2)} held {held} "
        f"| {proofs} | {row['seconds']['training']:.0f} + {row['seconds']['diagnosis']:.0f} s"
    )
