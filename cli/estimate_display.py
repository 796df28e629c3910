"""Estimates for human readers: cost, its parts, and better options."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cli.client import Document
from cli.render import Column, record, table
from cli.text import duration, money, number, plain, quantiles

if TYPE_CHECKING:
    from rich.console import Console

PHASE_COLUMNS = (
    Column("Phase", "name"),
    Column("Usual", "p50", duration),
    Column("9 of 10 within", "p90", duration),
    Column("Billed", "billed"),
)
ALTERNATIVE_COLUMNS = (
    Column("Instead", "change"),
    Column("Time", "seconds", duration),
    Column("Cost", "cost_usd"),
    Column("Is", "gain"),
    Column("Note", "note"),
)


def show_v1(console: "Console", found: Document) -> None:
    """Show the estimate by v1's formula."""
    details, costs = found["training_details"], found["cost_breakdown"]
    fields = {
        "cost": f"{money(found['estimated_cost'])} (compute {money(costs['compute'])}, "
        f"storage {money(costs['storage'])})",
        "time": f"{found['estimated_duration_hours']:.2f} h",
        "rate": f"{money(found['hourly_rate'])} an hour",
        "steps": _steps(details),
        "tokens per second": number(details["estimated_throughput_tokens_per_sec"]),
    }
    console.print(record(fields))
    console.print("v1's formula: it knows no model and no instance. Use --profile v2.")


def show_v2(console: "Console", found: Document) -> None:
    """Show time and cost with their quantiles, the phases, and cheaper or faster options."""
    console.print(record(_summary(found)))
    if found["phases"]:
        phases = [{**phase, **phase["seconds"]} for phase in found["phases"]]
        console.print(table(phases, PHASE_COLUMNS, width=console.width))
    for name, heading in (("warnings", "Mind"), ("assumptions", "Assumed")):
        for sentence in found[name]:
            console.print(f"{heading}: {plain(sentence)}", soft_wrap=True)
    if found["alternatives"]:
        rows = [_alternative(one) for one in found["alternatives"]]
        console.print(table(rows, ALTERNATIVE_COLUMNS, width=console.width))


def _summary(found: Document) -> dict[str, Any]:
    rent, data, steps = found["billing"], found["data"], found["training_details"]
    asked, memory = found["gpu_config"], found["memory"]
    rate = steps["estimated_throughput_tokens_per_sec"]
    return {
        "model": found["base_model"],
        "time": _quantiles(found["seconds"], duration),
        "cost": _quantiles(found["cost_usd"], money),
        "asked for": f"{asked['count']} x {asked['type']}",
        "billed": f"{rent['instances']} x {rent['instance_type']} with {rent['billed_gpus']} GPUs, "
        f"{money(rent['usd_per_hour'])} an hour (prices of {rent['price_date']}, "
        f"{rent['region']})",
        "steps": _steps(steps) + (f" at {number(rate)} tokens a second" if rate else ""),
        "tokens": f"{number(data['tokens_per_epoch'])} an epoch in "
        f"{number(data['sequences_per_epoch'])} sequences, {data['merge_factor']} times fewer "
        "than the pairs have",
        "memory": f"fits; {memory['weights_gib']} GiB of weights"
        if memory["fits"]
        else f"too little: {memory['advice']}",
        "trainable": found["trainable"],
    }


def _steps(details: Document) -> str:
    total, epoch = number(details["total_steps"]), number(details["steps_per_epoch"])
    return f"{total} ({epoch} an epoch)"


def _quantiles(found: Document | None, shown: Callable[[float], str]) -> str:
    """The median and the ninetieth percentile, of a job that fits."""
    return "none, because it does not fit" if found is None else quantiles(found, shown)


def _alternative(one: Document) -> dict[str, Any]:
    gains = [word for word in ("cheaper", "faster") if one[word]]
    return {**one, "cost_usd": money(one["cost_usd"]), "gain": ", ".join(gains)}
