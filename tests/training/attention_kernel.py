"""A CPU stand-in for torch's variable-length attention, with the signatures of its versions."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch.nn import functional

Version = Literal["2.10", "2.11", "2.13"]


def kernel_stand_in(version: Version = "2.13") -> Any:
    """What varlen_attn of that torch computes, one sequence at a time.

    2.13 has grouped queries, 2.11 has not, and 2.10 has neither windows nor scales either.
    """

    def attend(q: Any, k: Any, v: Any, borders: Any, scale: float, enable_gqa: bool) -> Any:
        out = torch.empty_like(q)
        edges = borders.tolist()
        for start, end in zip(edges, edges[1:], strict=False):
            query, key, value = (x[start:end].transpose(0, 1)[None] for x in (q, k, v))
            seen = functional.scaled_dot_product_attention(
                query, key, value, is_causal=True, scale=scale, enable_gqa=enable_gqa
            )
            out[start:end] = seen[0].transpose(0, 1)
        return out

    def with_groups(
        q: Any, k: Any, v: Any, cu: Any, _ck: Any, _mq: int, _mk: int, *,
        scale: float, window_size: tuple[int, int], enable_gqa: bool = False,
    ) -> Any:  # fmt: skip
        assert window_size == (-1, 0)
        return attend(q, k, v, cu, scale, enable_gqa)

    def without_groups(
        q: Any, k: Any, v: Any, cu: Any, _ck: Any, _mq: int, _mk: int, *,
        scale: float, window_size: tuple[int, int],
    ) -> Any:  # fmt: skip
        assert k.shape == q.shape
        assert window_size == (-1, 0)
        return attend(q, k, v, cu, scale, enable_gqa=False)

    def without_windows(
        q: Any, k: Any, v: Any, cu: Any, _ck: Any, _mq: int, _mk: int, is_causal: bool = False
    ) -> Any:
        assert k.shape == q.shape
        assert is_causal
        return attend(q, k, v, cu, q.shape[-1] ** -0.5, enable_gqa=False)

    return {"2.10": without_windows, "2.11": without_groups, "2.13": with_groups}[version]
