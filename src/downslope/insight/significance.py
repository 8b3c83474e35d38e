"""Whether two ways of training differ, or only seem to: the difference of means and its interval.

Two kinds of chance move a figure: the seed of the training, and which samples it was measured on.
Both count. After Bouthillier et al., Accounting for Variance in Machine Learning Benchmarks, 2021.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import special

CONFIDENCE = 0.95
RULE = (
    "A difference counts where its 95 % interval leaves out 0: Welch's interval over the seeds, "
    "widened by the chance of which validation samples there are, and for the number of pairs."
)


@dataclass(frozen=True)
class Difference:
    """How much larger the second of two means is.

    Attributes:
        mean: The second mean less the first.
        low: Lower end of the interval; minus infinity where too few trainings can tell.
        high: Upper end.
    """

    mean: float
    low: float
    high: float

    @property
    def is_told(self) -> bool:
        """Whether chance does not explain it: the interval leaves out 0."""
        return self.low > 0 or self.high < 0


def difference(
    first: Float[np.ndarray, "seeds n"],
    second: Float[np.ndarray, "others n"],
    weights: Float[np.ndarray, " n"] | None = None,
    *,
    pairs: int = 1,
) -> Difference:
    """Compare two ways of training by what each of their trainings does on the same samples.

    The squared standard error is the sum of three: the variance of each way's means over its
    seeds, divided by their number (Welch, The Generalization of Student's Problem, 1947), and
    that of the samples' own differences, divided by theirs. The degrees of freedom follow
    Satterthwaite, An Approximate Distribution of Estimates of Variance Components, 1946.

    Args:
        first: A value per training and sample, such as losses.
        second: Likewise, on the same samples.
        weights: How much each sample counts, or None.
        pairs: How many such pairs are looked at; the interval of each is widened so that all
            hold together (Bonferroni).
    """
    count = first.shape[1]
    fractions = np.full(count, 1 / count) if weights is None else weights / weights.sum()
    means = [values @ fractions for values in (first, second)]
    mean = float(means[1].mean() - means[0].mean())
    of_samples = second.mean(axis=0) - first.mean(axis=0)
    if min(len(first), len(second), count) < 2:
        return Difference(mean, -np.inf, np.inf)
    parts = [(float(one.var(ddof=1)) / len(one), len(one) - 1) for one in means]
    parts.append((squared_error_of_mean(of_samples, fractions), count - 1))
    squared = sum(part for part, _ in parts)
    if squared == 0:
        return Difference(mean, mean, mean)
    freedom = squared**2 / sum(part**2 / own for part, own in parts)
    far = float(special.stdtrit(freedom, 1 - (1 - CONFIDENCE) / (2 * pairs))) * squared**0.5
    return Difference(mean, mean - far, mean + far)


def squared_error_of_mean(
    values: Float[np.ndarray, " n"], fractions: Float[np.ndarray, " n"] | None = None
) -> float:
    """The squared standard error of a weighted mean of independent values, at least two.

    Without weights it is the variance divided by the number.

    Args:
        values: One per sample.
        fractions: How much each counts, adding up to 1; None for all alike.
    """
    count = len(values)
    fractions = np.full(count, 1 / count) if fractions is None else fractions
    apart = values - values @ fractions
    return float((fractions**2) @ apart**2) * count / (count - 1)
