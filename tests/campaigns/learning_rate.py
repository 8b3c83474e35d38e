"""How good the recommended learning rate is, beside the best of a dense grid and other rules.

    python -m tests.campaigns.learning_rate [--out FILE] [CASE ...]

For each case the expected final validation loss at a rate is the mean over many seeds that no
search has used. A grid of 25 rates is trained with 12 seeds each; its five best, the
recommendation and the rates of the other rules are then trained with 40 other seeds, so that none
is the best by luck. It takes about a quarter of an hour on two cores.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

import downslope as ds
from downslope.insight.learning_rate import find_rate
from tests.campaigns.range_test import RULES, range_test
from tests.campaigns.rate_cases import CASES, EXTREMES, Case
from tests.plain import PLAIN

GRID = np.geomspace(3e-4, 30, 25)
FIRST, THEN = 1000 + np.arange(12), 2000 + np.arange(40)
BEST = 5
WITHIN = 1.10


def final_losses(case: Case, network, data, rates, seeds) -> np.ndarray:
    """Final validation losses on the whole validation part, (rates, seeds)."""
    found = ds.train_side_by_side(
        network,
        data,
        options=PLAIN,
        learning_rates=np.repeat(rates, len(seeds)),
        seeds=np.tile(seeds, len(rates)),
        record=ds.Record(1 << 20, every=case.settings["epochs"]),
        **case.settings,
    )
    losses = np.where(np.isfinite(found.validation_loss), found.validation_loss, np.inf)
    ended = np.array([one.reason == "epochs" for one in found.outcomes])
    return np.where(ended, losses, np.inf).reshape(len(rates), len(seeds)).astype(np.float64)


def measure(case: Case, grid=GRID, first=FIRST, then=THEN, best=BEST, **search) -> dict:
    """One case: the recommendation, the grid, the other rules, and what each ends with."""
    data, network = case.data(), ds.parse_network(case.network)
    began = time.perf_counter()
    found = find_rate(network, data, options=PLAIN, **case.settings, **search)
    again = find_rate(network, data, options=PLAIN, **case.settings, **search)
    curve = range_test(network, data, **case.settings)
    others = {name: rule(curve) for name, rule in RULES.items()}
    tried = final_losses(case, network, data, grid, first)
    order = np.argsort(tried.mean(axis=1))[:best]
    rates = {
        "Downslope": found.learning_rate,
        **{name: rate for name, rate in others.items() if rate},
    }
    all_rates = np.array([*grid[order], *rates.values()])
    losses = final_losses(case, network, data, all_rates, then)
    means = losses.mean(axis=1)
    lowest = float(means[:best].min())
    ratios = {name: float(mean / lowest) for name, mean in zip(rates, means[best:], strict=True)}
    alone = tried[:, 0]  # the same with a single seed, for what luck does
    own = final_losses(case, network, data, np.array([found.learning_rate]), first[:1])
    return {
        "case": case.name,
        "recommended": found.learning_rate,
        "good": found.good,
        "overshoots": found.overshoots,
        "too slow": found.too_slow,
        "share": found.second_look.fraction,
        "same again": again.learning_rate == found.learning_rate
        and np.array_equal(again.choice.losses, found.choice.losses),
        "best of grid": float(grid[order][means[:best].argmin()]),
        "lowest loss": lowest,
        "spread": float(losses[means[:best].argmin()].std() / lowest / np.sqrt(len(then))),
        "rates": {"Downslope": found.learning_rate, **others},
        "ratios": ratios,
        "single seed": float(own[0, 0] / alone.min()),
        "seconds": found.seconds,
        "seconds again": again.seconds,
        "all seconds": time.perf_counter() - began,
    }


def main() -> None:
    """Measure the cases that are named by their numbers, or all."""
    words = sys.argv[1:]
    out = Path(words[words.index("--out") + 1]) if "--out" in words else None
    chosen = [int(word) for word in words if word.isdigit()] or range(len(CASES + EXTREMES))
    rows = []
    for number in chosen:
        rows.append(measure((*CASES, *EXTREMES)[number]))
        print(json.dumps(rows[-1]), flush=True)
        if out is not None:
            out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    for name in ("Downslope", *RULES):
        good = sum(row["ratios"].get(name, np.inf) <= WITHIN for row in rows)
        print(f"{name}: within 10 % of the best in {good} of {len(rows)}")


if __name__ == "__main__":
    main()
