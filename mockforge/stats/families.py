"""Parametric summaries of a sample: which textbook law comes closest, and how far off even that one is.

A quantile table says more than any of them. A law of two or three figures is what people compare, and what
other tools can be given. Each is fitted by maximum likelihood and ranked by the density that it gives to
values it was not fitted to: five blocks in the order of time, since neighbours resemble each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["LEAST_VALUES", "FamilyFit", "rank_families"]

#: Fewer values than this have no family.
LEAST_VALUES = 50
_MOST_VALUES = 5_000
_FOLDS = 5
#: No law is narrower than this in the logarithm: a sample of equal values has no density.
_LEAST_SPREAD = 1e-3
_ROUNDS = 60
_CONVERGED = 1e-9
#: Where the sample is first cut in two for the mixture.
_CUTS = (0.5, 0.9, 0.97)
_FIRST_ROUNDS = 15
_MOST_ROUNDS = 150
_LIKELIHOOD_GAIN = 1e-6
_LARGEST_EXPONENT = 50.0
_MIXTURE = "two lognormals"
#: Standard errors by which a mixture's lead must exceed 0.
_CHANCE = 2.0
_GRID = 4_001
_LOG_ROOT_TWO_PI = 0.5 * math.log(2 * math.pi)
_NORMAL = NormalDist()

_Values = NDArray[np.float64]
_Parameters = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class FamilyFit:
    """A family as it fits a sample best; scales and medians are in the sample's unit.

    `score` is the mean log density of values that it was not fitted to, higher is better: only differences
    of scores mean something. `error` is the first Wasserstein distance to the whole sample, over its mean.
    """

    name: str
    parameters: _Parameters
    score: float
    error: float


@dataclass(frozen=True, slots=True)
class _Family:
    """Each function takes the logarithms of values, shape (n,): laws of latency are easier to hold there.

    `density` is the log density of the logarithm; `quantiles` gives values at probabilities, None where that
    has no closed form.
    """

    fit: Callable[[_Values], _Parameters]
    density: Callable[[_Parameters, _Values], _Values]
    quantiles: Callable[[_Parameters, _Values], _Values] | None = None


def rank_families(values: ArrayLike) -> tuple[FamilyFit, ...]:
    """The families, best first, for positive `values`, shape (n,), in the order of time.

    Of more than 5,000 values, as many are looked at, evenly spread. None for fewer than 50 values.
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.size < LEAST_VALUES:
        return ()
    if not (np.isfinite(sample).all() and (sample > 0).all()):
        raise ValueError("values must be positive and finite")
    if sample.size > _MOST_VALUES:
        sample = sample[np.linspace(0, sample.size - 1, _MOST_VALUES).astype(np.int64)]
    logs = np.log(sample)
    scores = {name: _held_out(family, logs) for name, family in _FAMILIES.items()}
    found = []
    for name in _ranked(scores):
        parameters = _FAMILIES[name].fit(logs)
        error = _error(_FAMILIES[name], parameters, sample)
        found.append(FamilyFit(name, parameters, float(scores[name].mean()), error))
    return tuple(found)


def _ranked(scores: Mapping[str, _Values]) -> list[str]:
    """By mean score; the mixture leads only where that is no chance, as it can be any lognormal too."""
    names = sorted(scores, key=lambda name: -float(scores[name].mean()))
    lead = scores[names[0]] - scores[names[1]]
    if names[0] == _MIXTURE and lead.mean() < _CHANCE * lead.std() / math.sqrt(lead.size):
        names[:2] = names[1], names[0]
    return names


def _held_out(family: _Family, logs: _Values) -> _Values:
    """The log density of each value, shape (n,), by what was fitted to the other blocks."""
    blocks = np.array_split(np.arange(logs.size), _FOLDS)
    return np.concatenate(
        [family.density(family.fit(np.delete(logs, block)), logs[block]) - logs[block] for block in blocks]
    )


def _error(family: _Family, parameters: _Parameters, sample: _Values) -> float:
    levels = (np.arange(sample.size) + 0.5) / sample.size
    if family.quantiles is not None:
        law = family.quantiles(parameters, levels)
    else:
        law = _integrated(family, parameters, np.log(sample), levels)
    return float(np.mean(np.abs(law - np.sort(sample))) / sample.mean())


def _integrated(family: _Family, parameters: _Parameters, logs: _Values, levels: _Values) -> _Values:
    """Quantiles by integrating the density, over twice as wide a range as the sample's."""
    around = float(np.ptp(logs)) / 2 + 3 * _spread(logs)
    grid = np.linspace(logs.min() - around, logs.max() + around, _GRID)
    density = np.exp(family.density(parameters, grid))
    below = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    return np.asarray(np.exp(np.interp(levels * below[-1], below, grid)), dtype=np.float64)


def _spread(logs: _Values) -> float:
    return max(float(logs.std()), _LEAST_SPREAD)


# Lognormal: the logarithm is normal.


def _fit_lognormal(logs: _Values) -> _Parameters:
    return {"median": math.exp(float(logs.mean())), "sigma": _spread(logs)}


def _normal_density(logs: _Values, mean: float, sigma: float) -> _Values:
    z = (logs - mean) / sigma
    return -z * z / 2 - math.log(sigma) - _LOG_ROOT_TWO_PI


def _lognormal_density(parameters: _Parameters, logs: _Values) -> _Values:
    return _normal_density(logs, math.log(parameters["median"]), parameters["sigma"])


def _lognormal_quantiles(parameters: _Parameters, levels: _Values) -> _Values:
    normal = np.array([_NORMAL.inv_cdf(level) for level in levels.tolist()])
    return np.asarray(parameters["median"] * np.exp(parameters["sigma"] * normal), dtype=np.float64)


# Gamma: the shape by Newton's method on ln k - ψ(k) = ln(mean) - mean(ln), which has one root.


def _fit_gamma(logs: _Values) -> _Parameters:
    mean = float(np.exp(logs).mean())
    gap = max(math.log(mean) - float(logs.mean()), _LEAST_SPREAD**2 / 2)
    # Minka, "Estimating a Gamma distribution" (2002): a start within 1.5 % of the root.
    shape = (3 - gap + math.sqrt((gap - 3) ** 2 + 24 * gap)) / (12 * gap)
    for _ in range(_ROUNDS):
        digamma, trigamma = _digamma(shape)
        step = (math.log(shape) - digamma - gap) / (1 / shape - trigamma)
        shape = shape - step if step < shape else shape / 2
        if abs(step) <= _CONVERGED * shape:
            break
    return {"shape": shape, "scale": mean / shape}


def _digamma(x: float) -> tuple[float, float]:
    """ψ(x) and ψ'(x), x > 0: raised above 8 by their recurrences, then by their asymptotic series."""
    digamma = trigamma = 0.0
    while x < 8:
        digamma -= 1 / x
        trigamma += 1 / (x * x)
        x += 1
    inverse = 1 / (x * x)
    digamma += math.log(x) - 0.5 / x - inverse * (1 / 12 - inverse * (1 / 120 - inverse / 252))
    trigamma += 1 / x + inverse / 2 + inverse / x * (1 / 6 - inverse * (1 / 30 - inverse / 42))
    return digamma, trigamma


def _gamma_density(parameters: _Parameters, logs: _Values) -> _Values:
    shape, relative = parameters["shape"], logs - math.log(parameters["scale"])
    return shape * relative - np.exp(relative) - math.lgamma(shape)


# Weibull: the shape by Newton's method on its likelihood equation, which rises with the shape.


def _fit_weibull(logs: _Values) -> _Parameters:
    mean, top = float(logs.mean()), float(logs.max())
    shape = math.pi / math.sqrt(6) / _spread(logs)
    for _ in range(_ROUNDS):
        weights = np.exp(shape * (logs - top))
        weights /= weights.sum()
        centre = float(weights @ logs)
        slope = float(weights @ (logs - centre) ** 2) + shape**-2
        step = (centre - 1 / shape - mean) / slope
        # No further than doubled or halved at once, and no narrower than any law here may be.
        shape = min(max(shape - step, shape / 2), 2 * shape, 1 / _LEAST_SPREAD)
        if abs(step) <= _CONVERGED * shape:
            break
    scale = top + math.log(float(np.exp(shape * (logs - top)).mean())) / shape
    return {"shape": shape, "scale": math.exp(scale)}


def _weibull_density(parameters: _Parameters, logs: _Values) -> _Values:
    shape = parameters["shape"]
    z = shape * (logs - math.log(parameters["scale"]))
    return math.log(shape) + z - np.exp(np.minimum(z, _LARGEST_EXPONENT))


def _weibull_quantiles(parameters: _Parameters, levels: _Values) -> _Values:
    drawn = (-np.log1p(-levels)) ** (1 / parameters["shape"])
    return np.asarray(parameters["scale"] * drawn, dtype=np.float64)


# Log-logistic: the logarithm is logistic; Fisher scoring, whose information is (1/3, (3 + π²)/9) / s².


def _fit_log_logistic(logs: _Values) -> _Parameters:
    centre, scale = float(np.median(logs)), _spread(logs) * math.sqrt(3) / math.pi
    for _ in range(_ROUNDS):
        z = (logs - centre) / scale
        pull = np.tanh(z / 2)
        move = 3 * scale * float(pull.mean())
        widen = 9 / (3 + math.pi**2) * (float((z * pull).mean()) - 1)
        centre, scale = centre + move, max(scale * math.exp(widen), _LEAST_SPREAD)
        if abs(move) <= _CONVERGED * scale and abs(widen) <= _CONVERGED:
            break
    return {"median": math.exp(centre), "shape": 1 / scale}


def _log_logistic_density(parameters: _Parameters, logs: _Values) -> _Values:
    shape = parameters["shape"]
    z = shape * (logs - math.log(parameters["median"]))
    return np.asarray(math.log(shape) - z - 2 * np.logaddexp(0, -z), dtype=np.float64)


def _log_logistic_quantiles(parameters: _Parameters, levels: _Values) -> _Values:
    odds = levels / (1 - levels)
    return np.asarray(parameters["median"] * odds ** (1 / parameters["shape"]), dtype=np.float64)


# Two lognormals: expectation and maximisation (Dempster, Laird & Rubin 1977), from several first cuts.


@dataclass(frozen=True, slots=True)
class _Mixture:
    """Two normal laws of the logarithm; `share` is the second one's."""

    means: tuple[float, float]
    sigmas: tuple[float, float]
    share: float
    likelihood: float = -math.inf

    def parts(self, logs: _Values) -> tuple[_Values, _Values]:
        """The log density of each, weighted by its share."""
        first = _normal_density(logs, self.means[0], self.sigmas[0]) + math.log1p(-self.share)
        return first, _normal_density(logs, self.means[1], self.sigmas[1]) + math.log(self.share)


def _fit_mixture(logs: _Values) -> _Parameters:
    starts = [_climbed(_parted(logs, logs > np.quantile(logs, cut)), logs, _FIRST_ROUNDS) for cut in _CUTS]
    best = _climbed(max(starts, key=lambda each: each.likelihood), logs, _MOST_ROUNDS)
    low, high = (0, 1) if best.means[0] <= best.means[1] else (1, 0)
    return {
        "median": math.exp(best.means[low]),
        "sigma": best.sigmas[low],
        "median_2": math.exp(best.means[high]),
        "sigma_2": best.sigmas[high],
        "share_2": best.share if high else 1 - best.share,
    }


def _parted(logs: _Values, second: ArrayLike) -> _Mixture:
    """The likeliest mixture if each value is the second law's to the degree `second`, 0..1, shape (n,)."""
    weights = np.asarray(second, dtype=np.float64)
    # A law that holds on to a single value would shrink onto it: each keeps some weight and some width.
    floor = max(_spread(logs) / 50, _LEAST_SPREAD)
    means, sigmas = [], []
    for own in (1 - weights, weights):
        total = max(float(own.sum()), 1e-9)
        mean = float(own @ logs) / total if float(own.sum()) > 1e-9 else float(logs.mean())
        means.append(mean)
        sigmas.append(max(math.sqrt(float(own @ (logs - mean) ** 2) / total), floor))
    share = min(max(float(weights.mean()), 1 / logs.size), 1 - 1 / logs.size)
    return _Mixture((means[0], means[1]), (sigmas[0], sigmas[1]), share)


def _climbed(mixture: _Mixture, logs: _Values, rounds: int) -> _Mixture:
    before = -math.inf
    for _ in range(rounds):
        first, second = mixture.parts(logs)
        whole = np.logaddexp(first, second)
        likelihood = float(whole.mean())
        if likelihood - before < _LIKELIHOOD_GAIN:
            break
        before = likelihood
        mixture = _parted(logs, np.exp(second - whole))
    return _Mixture(mixture.means, mixture.sigmas, mixture.share, before)


def _mixture_density(parameters: _Parameters, logs: _Values) -> _Values:
    means = (math.log(parameters["median"]), math.log(parameters["median_2"]))
    sigmas = (parameters["sigma"], parameters["sigma_2"])
    return np.logaddexp(*_Mixture(means, sigmas, parameters["share_2"]).parts(logs))


_FAMILIES: Mapping[str, _Family] = {
    "lognormal": _Family(_fit_lognormal, _lognormal_density, _lognormal_quantiles),
    "gamma": _Family(_fit_gamma, _gamma_density),
    "weibull": _Family(_fit_weibull, _weibull_density, _weibull_quantiles),
    "log-logistic": _Family(_fit_log_logistic, _log_logistic_density, _log_logistic_quantiles),
    _MIXTURE: _Family(_fit_mixture, _mixture_density),
}
