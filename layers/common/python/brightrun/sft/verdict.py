"""The verdict on an adapter: its loss on held-out conversations against that of its base model.

The trainer measures both and writes the model card; the platform scores, notifies and lists. Both
take the figures and the words from here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from brightrun.sft.templates import Example

Unmeasured = Literal["no_held_out_rows", "not_evaluated", "not_finite", "not_recorded"]
"""Why there is no comparison: nothing is held out; the published weights, or the base model, were
not evaluated (a run that was stopped between two evaluations); a loss is not a number; or the
results are of a trainer that did not compare."""
Outcome = Literal["worse", "no_measurable_difference", "better", "unknown"]
Quality = Literal["excellent", "good", "fair", "poor", "unknown"]

GRADES: tuple[tuple[float, Quality, int], ...] = (
    (25.0, "excellent", 5),
    (10.0, "good", 4),
    (0.0, "fair", 3),
)
"""Per cent by which an adapter that is measurably better lowers its base's loss, its name, its
score. Our choice: fine-tuning an instruct model on a new style lowers it by about a quarter."""
LARGEST_PERPLEXITY = 20.0
"""Above it the score is at most 2, however bad the base is: the model is unsure among more than 20
tokens at every place of the answers. Instruct models have 2 to 8 on conversations; the weakest
model whose text reads as language, GPT-2, has about 20 to 40."""
FEW_CONVERSATIONS = 10
"""Below it the verdict says that the interval rests on few conversations."""
METHOD = (
    "95 % interval of the token-weighted mean paired difference: Student's t over held-out "
    "conversations, linearised ratio estimator"
)
_LARGEST_EXPONENT = 100.0
_T_975 = (12.7062, 4.3027, 3.1824, 2.7764)
"""Student's 97.5 % quantile for 1 to 4 degrees of freedom."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The losses on the held-out rows, in nats per answer token; None for what is not measured.

    `difference_low` to `difference_high` is the 95 % interval of the adapter's loss less the
    base's (METHOD); None with fewer than two conversations. Negative is better than the base.
    """

    pairs: int = 0
    conversations: int = 0
    tokens: int = 0
    base_loss: float | None = None
    adapter_loss: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    unmeasured: Unmeasured | None = None

    @property
    def difference(self) -> float | None:
        """The adapter's loss less the base's; None if one of them is not known."""
        if self.base_loss is None or self.adapter_loss is None:
            return None
        return self.adapter_loss - self.base_loss

    def figures(self) -> dict[str, Any]:
        """The figures as a document, for results.json and the API."""
        stored = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**stored, "difference": self.difference, "method": METHOD}


@dataclass(frozen=True, slots=True)
class AdapterVerdict:
    """What the figures say: a score of 1-5 or None, a sentence, and what the score is made of."""

    outcome: Outcome
    quality: Quality
    score: int | None
    headline: str
    basis: str


def compare(
    examples: Sequence[Example],
    base: Sequence[float | None],
    adapter: Sequence[float | None],
) -> HeldOut:
    """Compare the summed losses of the held-out examples, in nats, under base and adapter.

    A side that was not evaluated is empty; a loss that is not a finite number is None.
    """
    clusters = {example.conversation_id for example in examples}
    tokens = sum(example.targets() for example in examples)
    counts = (sum(example.pairs for example in examples), len(clusters), tokens)
    if not examples:
        return HeldOut(unmeasured="no_held_out_rows")
    base_loss, adapter_loss = mean_loss(base, tokens), mean_loss(adapter, tokens)
    losses = (base_loss, adapter_loss)
    if not base or not adapter:
        return HeldOut(*counts, *losses, unmeasured="not_evaluated")
    if base_loss is None or adapter_loss is None:
        return HeldOut(*counts, *losses, unmeasured="not_finite")
    gains = [after - before for before, after in zip(base, adapter, strict=True)
             if before is not None and after is not None]  # fmt: skip
    return HeldOut(*counts, *losses, *_interval(examples, gains))


def mean_loss(losses: Sequence[float | None], tokens: int) -> float | None:
    """Nats per token of summed losses; None without any, or if one of them is not finite."""
    known = [loss for loss in losses if loss is not None]
    return sum(known) / tokens if known and len(known) == len(losses) else None


def _interval(
    examples: Sequence[Example], differences: Sequence[float]
) -> tuple[float, float] | tuple[None, None]:
    """Cochran, Sampling Techniques, 6.4: the ratio of two totals over conversations."""
    totals: dict[str, tuple[float, int]] = {}
    for example, difference in zip(examples, differences, strict=True):
        nats, tokens = totals.get(example.conversation_id, (0.0, 0))
        totals[example.conversation_id] = (nats + difference, tokens + example.targets())
    count, all_tokens = len(totals), sum(tokens for _, tokens in totals.values())
    if count < 2:
        return None, None
    ratio = sum(nats for nats, _ in totals.values()) / all_tokens
    squares = sum((nats - ratio * tokens) ** 2 for nats, tokens in totals.values())
    half = _t_975(count - 1) * math.sqrt(squares * count / (count - 1)) / all_tokens
    return ratio - half, ratio + half


def _t_975(degrees: int) -> float:
    """Student's 97.5 % quantile; above 4 degrees of freedom to 0.2 % (Abramowitz, 26.7.5)."""
    if degrees <= len(_T_975):
        return _T_975[degrees - 1]
    z = NormalDist().inv_cdf(0.975)
    return (
        z
        + (z**3 + z) / (4 * degrees)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * degrees**3)
    )


def perplexity(loss: float | None) -> float | None:
    """e to the loss; None where that is unknown or beyond what is worth writing."""
    return None if loss is None or loss > _LARGEST_EXPONENT else math.exp(loss)


def reduction_percent(found: HeldOut) -> float | None:
    """By how many per cent the adapter's loss is below its base's; negative if it is above."""
    if found.difference is None or not found.base_loss or found.base_loss < 0:
        return None
    return round(-100 * found.difference / found.base_loss, 2)


def adapter_verdict(found: HeldOut) -> AdapterVerdict:
    """Say whether the adapter is better than its base, and how good it is.

    Worse than the base never scores above 2, nor does text of a perplexity above
    LARGEST_PERPLEXITY; what was not compared has no score.
    """
    outcome = _outcome(found)
    quality, score = _grade(found, outcome)
    return AdapterVerdict(outcome, quality, score, _headline(found, outcome), _basis(found))


def _outcome(found: HeldOut) -> Outcome:
    if found.unmeasured == "not_finite":
        return "unknown" if found.base_loss is None else "worse"
    if found.unmeasured or found.difference is None:
        return "unknown"
    if found.difference > 0:
        return "worse"
    if found.difference_high is None:
        return "unknown"
    return "better" if found.difference_high < 0 else "no_measurable_difference"


def _grade(found: HeldOut, outcome: Outcome) -> tuple[Quality, int | None]:
    if outcome == "unknown":
        return "unknown", None
    is_certain = found.difference_low is not None and found.difference_low > 0
    if outcome == "worse" and (is_certain or _is_junk(found)):
        return "poor", 1
    if outcome != "better" or _is_junk(found):
        return "poor", 2
    reduction = reduction_percent(found) or 0.0
    return next((quality, score) for least, quality, score in GRADES if reduction >= least)


def _is_junk(found: HeldOut) -> bool:
    return found.adapter_loss is None or found.adapter_loss > math.log(LARGEST_PERPLEXITY)


def _headline(found: HeldOut, outcome: Outcome) -> str:
    if found.unmeasured is not None or found.difference is None:
        return _unmeasured_headline(found)
    interval = "interval unknown"
    if found.difference_low is not None and found.difference_high is not None:
        low, high = found.difference_low, found.difference_high
        interval = f"95 % interval {low:+.3g} to {high:+.3g}"
    return (
        f"{_opening(found, outcome)}: held-out loss {found.adapter_loss:.4g} against "
        f"{found.base_loss:.4g} of the base ({found.difference:+.3g} nats per answer token, "
        f"{interval}).{_caveats(found)}"
    )


def _opening(found: HeldOut, outcome: Outcome) -> str:
    if outcome == "worse":
        is_chance = found.difference_low is not None and found.difference_low <= 0
        return "Worse than its base, within chance" if is_chance else "Worse than its base"
    if outcome == "better":
        return "Better than its base, but poor" if _is_junk(found) else "Better than its base"
    if outcome == "no_measurable_difference":
        return "No measurable difference to its base"
    return "Not known to be better than its base"


def _caveats(found: HeldOut) -> str:
    notes = ""
    if _is_junk(found):
        notes += f" Its perplexity is above {LARGEST_PERPLEXITY:.0f}: it hardly writes language."
    if 0 < found.conversations < FEW_CONVERSATIONS:
        plural = "" if found.conversations == 1 else "s"
        notes += f" Only {found.conversations} conversation{plural} held out."
    return notes


def _unmeasured_headline(found: HeldOut) -> str:
    if found.unmeasured == "no_held_out_rows":
        return "Not measured: no held-out rows."
    if found.unmeasured == "not_finite":
        if found.base_loss is None:
            return "Not measured: the base's held-out loss is not a finite number."
        return (
            "Worse than its base: the adapter's held-out loss is not a finite number, against "
            f"{found.base_loss:.4g} of the base."
        )
    if found.unmeasured == "not_evaluated":
        return "Not measured: training stopped before the delivered weights were evaluated."
    return "Unknown: the trainer did not compare this adapter with its base."


def _basis(found: HeldOut) -> str:
    if _outcome(found) == "unknown":
        return "No score: it needs the held-out losses of base and adapter, with an interval."
    lowest = ", ".join(f"{score} from {least:.0f} %" for least, _, score in GRADES[:-1])
    return (
        f"Loss of the delivered weights against the base's on {found.pairs} held-out pairs of "
        f"{found.conversations} conversations ({found.tokens} answer tokens). Measurably lower: "
        f"{lowest}, else 3. No measurable difference, or worse within chance: 2. Worse: 1. At most "
        f"2 above a perplexity of {LARGEST_PERPLEXITY:.0f}. It measures likeness to the dataset, "
        "and the delivered step is the best one on the same rows."
    )
