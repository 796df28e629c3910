"""Budgets in memory, under one lock."""

from __future__ import annotations

import threading
from collections import Counter
from typing import get_args

from brightrun.aws.budgets import Budgets
from brightrun.core.budgets import SCOPES, Budget, Limits, Reservation, Scope, Work


class InMemoryBudgets(Budgets):
    """Reserves and settles as the transactions of DynamoBudgets do."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._lock = threading.RLock()
        self._limits = limits or Limits()
        self._amounts: Counter[tuple[str, str, Work, str]] = Counter()

    @property
    def limits(self) -> Limits:
        return self._limits

    def of_month(self, owner_id: str, month: str) -> list[Budget]:
        with self._lock:
            return [self._budget(scope, owner_id, month) for scope in SCOPES]

    def require(self, wanted: Reservation) -> None:
        for budget in self.of_month(wanted.owner_id, wanted.month):
            budget.require(wanted.micro_usd)

    def reserve(self, wanted: Reservation | None) -> None:
        if wanted is not None:
            with self._lock:
                self.require(wanted)
                self._add(wanted, "reserved", wanted.micro_usd)

    def settle(self, held: Reservation | None, spent: int) -> None:
        if held is not None:
            with self._lock:
                self._add(held, "reserved", -held.micro_usd)
                self._add(held, "spent", spent)

    def _add(self, order: Reservation, kind: str, micro_usd: int) -> None:
        for scope in SCOPES:
            self._amounts[_whose(scope, order.owner_id), order.month, order.work, kind] += micro_usd

    def _budget(self, scope: Scope, owner_id: str, month: str) -> Budget:
        def of(kind: str) -> dict[Work, int]:
            whose = _whose(scope, owner_id)
            return {work: self._amounts[whose, month, work, kind] for work in get_args(Work)}

        limit = self._limits.of(scope)
        return Budget(scope, month, limit, spent=of("spent"), reserved=of("reserved"))


def _whose(scope: Scope, owner_id: str) -> str:
    return owner_id if scope == "owner" else scope
