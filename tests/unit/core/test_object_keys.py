"""The keys of a dataset's objects: none is the beginning of another, since SageMaker reads by
prefix."""

from __future__ import annotations

from itertools import permutations

from hypothesis import example, given
from hypothesis import strategies as st

from brightrun.core import object_keys
from brightrun.datasets.model import safe_file_name

IDS = st.text(alphabet="abv_-0123456789", min_size=1, max_size=4)
FILE_NAMES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["v", "va", "validation", "_validation", "_", "data", "data2", "A.JSONL", ""]),
)
PLACES = st.tuples(IDS, IDS, FILE_NAMES)


def keys_of(owner: str, dataset: str, file_name: str) -> list[str]:
    """Every key below a dataset; the file's own first."""
    runs = (1, 2, 12)
    return [
        object_keys.dataset_file(owner, dataset, safe_file_name(file_name)),
        *(object_keys.dataset_report(owner, dataset, run) for run in runs),
        *(object_keys.dataset_split(owner, dataset, run) for run in runs),
    ]


@given(PLACES, PLACES)
@example(("o", "d", "v"), ("o", "d2", "data2"))
@example(("o", "d", "validation"), ("o2", "d", "data"))
def test_no_key_of_a_dataset_is_the_beginning_of_another_key(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    keys = {*keys_of(*one)}
    if one[:2] != other[:2]:  # A dataset has one file.
        keys |= {*keys_of(*other)}
    assert not [pair for pair in permutations(keys, 2) if pair[1].startswith(pair[0])]
