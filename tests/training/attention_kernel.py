"""A CPU stand-in for torch's variable-length attention, with the signatures of two versions."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional


def kernel_stand_in(*, grouped_queries: bool = True) -> Any:
    """What varlen_attn computes, one sequence at a time; with or without grouped queries."""

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

    return with_groups if grouped_queries else without_groups
