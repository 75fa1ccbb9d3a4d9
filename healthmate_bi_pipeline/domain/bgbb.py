"""BG/BB: who is still there, in a world where nobody says good-bye.

In every opportunity (a week) a person who is alive is active with a probability of their own, and afterwards leaves
for good with another one; both differ from person to person by a beta distribution. Fader, Hardie & Shang (2010),
"Customer-Base Analysis in a Discrete-Time Noncontractual Setting", Marketing Science 29:1086, doi
10.1287/mksc.1100.0580.

All that the model knows of a person is their pattern: in how many opportunities they were active, in which one last,
and how many there were. Everything here is computed per pattern, so that a million people cost what their few
thousand patterns cost. The opportunities begin after the one in which the person came: that one is not counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_Numbers = npt.NDArray[np.floating[Any]] | float


@dataclass(frozen=True, eq=False)
class Patterns:
    """Patterns of activity, and how many people have each; four arrays of one length.

    Attributes:
        active: x, the opportunities in which the person was active.
        last_active: t_x, the number of the last of them; 0 where there is none.
        opportunities: n, the opportunities that the person had.
        people: how many people have this pattern.

    Raises:
        ValueError: the arrays differ in length, or a pattern cannot be.
    """

    active: Integers
    last_active: Integers
    opportunities: Integers
    people: Integers

    def __post_init__(self) -> None:
        columns = (self.active, self.last_active, self.opportunities, self.people)
        if len({column.shape for column in columns}) != 1 or self.active.ndim != 1:
            raise ValueError("patterns are four arrays of one length")
        is_possible = (
            (self.active >= 0)
            & (self.active <= self.last_active)
            & (self.last_active <= self.opportunities)
            & ((self.active == 0) == (self.last_active == 0))
            & (self.people >= 0)
        )
        if not is_possible.all():
            raise ValueError(
                "a pattern needs 0 <= active <= last_active <= opportunities, a last activity exactly where there"
                f" is one, and no fewer than 0 people; {np.count_nonzero(~is_possible)} of {len(is_possible)} differ"
            )

    @classmethod
    def of(
        cls,
        active: npt.ArrayLike,
        last_active: npt.ArrayLike,
        opportunities: npt.ArrayLike,
        people: npt.ArrayLike = 1,
    ) -> Patterns:
        """Patterns from anything that is like an array; a single number stands for all.

        >>> Patterns.of([0, 2], [0, 4], 6).opportunities
        array([6, 6])
        """
        columns = (
            np.asarray(column).astype(np.int64, casting="same_kind")
            for column in (active, last_active, opportunities, people)
        )
        return cls(
            *(np.array(column) for column in np.broadcast_arrays(*(np.atleast_1d(c) for c in columns)))
        )

    def counted(self) -> Patterns:
        """The same people, each pattern once and in order: the same people give the same bytes.

        >>> counted = Patterns.of([1, 0, 1], [2, 0, 2], 3).counted()
        >>> counted.active, counted.people
        (array([0, 1]), array([1, 2]))
        """
        if not len(self.active):
            return self
        base = int(self.opportunities.max()) + 1
        keys, places = np.unique(
            (self.opportunities * base + self.last_active) * base + self.active, return_inverse=True
        )
        people = np.zeros(len(keys), dtype=np.int64)
        np.add.at(people, places, self.people)
        return Patterns(keys % base, keys // base % base, keys // base**2, people)

    def after(self, silent: int) -> Patterns:
        """The same people after so many more opportunities without activity."""
        return Patterns(self.active, self.last_active, self.opportunities + silent, self.people)


@dataclass(frozen=True)
class BgBb:
    """The model with its four parameters, all above 0.

    Attributes:
        alpha: with ``beta``, the distribution of the probability of being active while alive.
        beta: see ``alpha``.
        gamma: with ``delta``, the distribution of the probability of leaving after an opportunity.
        delta: see ``gamma``.
    """

    alpha: float
    beta: float
    gamma: float
    delta: float

    def log_likelihoods(self, patterns: Patterns) -> Floats:
        """The logarithm of the probability of one history with each pattern (their equation 5).

        >>> BgBb(1.204, 0.750, 0.657, 2.783).log_likelihoods(Patterns.of([0, 6], [0, 6], 6)).round(3)
        array([-1.167, -2.182])
        """
        if not len(patterns.active):
            return np.zeros(0)
        return _either(*self._log_terms(patterns), patterns)

    def log_likelihood(self, patterns: Patterns) -> float:
        """The logarithm of the likelihood of all people together (their equation 6)."""
        return _summed(self.log_likelihoods(patterns), patterns)

    def score(self, patterns: Patterns) -> tuple[float, Floats]:
        """The log-likelihood of all people, and its derivative by each parameter.

        Every term of the likelihood falls with each parameter, but for a factor that all terms share, so that the
        sums of the derivatives are sums of numbers of one sign and are taken in logarithms like the others.
        """
        stayed, left = self._log_terms(patterns)
        likelihoods = _either(stayed, left, patterns)
        falls_of_stayed, falls_of_left = (
            self._falls(stayed.shape, leaving=0),
            self._falls(left.shape, leaving=1),
        )
        of_all = self._falls((1, 1), leaving=0)
        slopes = np.zeros(4)
        for number in range(4):
            falling = _either(
                stayed + np.log(falls_of_stayed[number]), left + np.log(falls_of_left[number]), patterns
            )
            slopes[number] = _summed(of_all[number].item() - np.exp(falling - likelihoods), patterns)
        return _summed(likelihoods, patterns), slopes

    def probability_alive(self, patterns: Patterns, *, ahead: int = 1) -> Floats:
        """The probability of being alive at opportunity n + ``ahead`` (their equation 11).

        >>> BgBb(1.204, 0.750, 0.657, 2.783).probability_alive(Patterns.of([0, 2, 6], [0, 4, 6], 6)).round(3)
        array([0.108, 0.59 , 0.93 ])
        """
        active = self._log_active(patterns.active, patterns.opportunities)
        alive = active + self._log_alive(patterns.opportunities + ahead)
        return np.asarray(np.exp(alive - self.log_likelihoods(patterns)))

    def probability_active(self, patterns: Patterns, *, ahead: int) -> Floats:
        """The probability of at least one activity in the next ``ahead`` opportunities.

        One minus the likelihood of the same history followed by silence, over its own.

        >>> BgBb(1.204, 0.750, 0.657, 2.783).probability_active(
        ...     Patterns.of([0, 6], [0, 6], 6), ahead=5
        ... ).round(2)
        array([0.05, 0.92])
        """
        silent = self.log_likelihoods(patterns.after(ahead)) - self.log_likelihoods(patterns)
        return np.asarray(-np.expm1(np.minimum(silent, 0)))

    def expected_active(self, patterns: Patterns, *, ahead: int) -> Floats:
        """How many of the next ``ahead`` opportunities the person is expected to be active in (their equation 13).

        Summed opportunity by opportunity, which is the same as their closed form and also holds at gamma = 1.

        >>> BgBb(1.204, 0.750, 0.657, 2.783).expected_active(Patterns.of([0, 6], [0, 6], 6), ahead=5).round(2)
        array([0.07, 3.75])
        """
        if ahead < 1:
            return np.zeros(len(patterns.active))
        steps = self._log_alive(patterns.opportunities[:, np.newaxis] + np.arange(1, ahead + 1))
        once_more = _log_beta(
            self.alpha + patterns.active + 1, self.beta + patterns.opportunities - patterns.active
        ) - _log_beta(self.alpha, self.beta)
        return np.asarray(
            np.exp(once_more + scipy.special.logsumexp(steps, axis=1) - self.log_likelihoods(patterns))
        )

    def expected_discounted(self, patterns: Patterns, *, discount: float) -> Floats:
        """The discounted expected residual transactions: all future activities at their present value (their DERT).

        The activity of the next opportunity counts 1 / (1 + ``discount``), that of the one after it the square of
        that, and so on without end.

        Args:
            patterns: of whom.
            discount: the rate per opportunity, above 0: without one the sum need not be finite.

        >>> BgBb(1.204, 0.750, 0.657, 2.783).expected_discounted(
        ...     Patterns.of([0, 6], [0, 6], 6), discount=0.10
        ... ).round(2)
        array([0.11, 5.91])
        """
        if discount <= 0:
            raise ValueError("residual activities are discounted at a rate above 0")
        n = patterns.opportunities
        once_more = _log_beta(self.alpha + patterns.active + 1, self.beta + n - patterns.active) - _log_beta(
            self.alpha, self.beta
        )
        ahead = scipy.special.hyp2f1(
            1, self.delta + n + 1, self.gamma + self.delta + n + 1, 1 / (1 + discount)
        )
        alive = self._log_alive(n + 1) - np.log1p(discount) + np.log(ahead)
        return np.asarray(np.exp(once_more + alive - self.log_likelihoods(patterns)))

    def _log_terms(self, patterns: Patterns) -> tuple[Floats, Floats]:
        """For x and s, being active in x given opportunities of s, and: being alive then, leaving then."""
        active, step = _grid((patterns.active.max() + 1, patterns.opportunities.max() + 1))
        so_far = self._log_active(active, step)
        leaves = _log_beta(self.gamma + 1, self.delta + step) - _log_beta(self.gamma, self.delta)
        return so_far + self._log_alive(step), so_far + leaves

    def _falls(self, shape: tuple[int, ...], *, leaving: int) -> tuple[Floats, ...]:
        """By how much the terms fall, relatively, with each parameter."""
        active, step = _grid(shape)
        a, b = self.alpha + active, self.beta + np.maximum(step - active, 0)
        c, d = self.gamma + leaving, self.delta + step
        psi = scipy.special.psi
        both, ends = psi(a + b), psi(c + d) + np.zeros(shape)
        return both - psi(a), both - psi(b), ends - psi(c), ends - psi(d)

    def _log_active(self, active: Integers, step: Integers) -> Floats:
        """Being active in given opportunities of so many, while alive."""
        # Nobody was active more often than there were opportunities: those cells are never looked at.
        silent = np.maximum(step - active, 0)
        return _log_beta(self.alpha + active, self.beta + silent) - _log_beta(self.alpha, self.beta)

    def _log_alive(self, step: Integers) -> Floats:
        """Being alive after so many opportunities."""
        return _log_beta(self.gamma, self.delta + step) - _log_beta(self.gamma, self.delta)


def _log_beta(first: _Numbers, second: _Numbers) -> Floats:
    """The logarithm of the beta function."""
    return np.asarray(scipy.special.betaln(first, second), dtype=np.float64)


def _summed(values: Floats, patterns: Patterns) -> float:
    """The sum over all people; not by a product of BLAS, whose threads give other last digits and wait."""
    return float((patterns.people * values).sum())


def _grid(shape: tuple[int, ...]) -> tuple[Integers, Integers]:
    """The numbers of x, one a row, and of s, one a column."""
    return np.arange(shape[0])[:, np.newaxis], np.arange(shape[1])[np.newaxis, :]


def _either(stayed: Floats, left: Floats, patterns: Patterns) -> Floats:
    """The logarithm of what each pattern's term of staying and its terms of leaving add up to.

    The person left at one of the opportunities from t_x to before n, or not yet. These terms depend on a pattern by
    x alone, so that all patterns share one table of sums up to the longest history, and each takes the difference of
    two. The terms fall, so the difference keeps all digits but the logarithm of the longest history.
    """
    # Nobody leaves at the end of the longest history: there the sums are empty.
    left = np.concatenate([left[:, :-1], np.full((len(left), 1), -np.inf)], axis=1)
    tails = np.logaddexp.accumulate(left[:, ::-1], axis=1)[:, ::-1]
    is_silent = patterns.last_active < patterns.opportunities
    upper = np.where(is_silent, tails[patterns.active, patterns.last_active], 0)
    lower = np.where(is_silent, tails[patterns.active, patterns.opportunities], -np.inf)
    leaving = np.where(is_silent, upper + np.log1p(-np.exp(lower - upper)), -np.inf)
    return np.asarray(np.logaddexp(stayed[patterns.active, patterns.opportunities], leaving))
