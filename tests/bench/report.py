"""What a run found: the median of the repeats as lines of JSON, or as a table to read."""

import json
from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

from tests.bench.cells import OURS, PEER, Cell

Repeats = Mapping[str, list[dict[str, Any]]]


def row(cell: Cell, repeats: Repeats, counted: tuple[float, float]) -> dict[str, Any]:
    """The contract's fields, then ours. Ratios are taken within a repeat; below 1 we cost less, or answer faster."""
    ours, peer = repeats[OURS], repeats.get(PEER, [])
    middle = {name: _middle(run[name] for run in ours) for name in ("per_second", "p50_ms", "p99_ms", "cpu_ms")}
    return {
        "workload": cell.workload,
        "alg": cell.alg,
        "database": "sqlite",
        "concurrency": cell.concurrency,
        **middle,
        "statements": counted[0],
        "commits": counted[1],
        "ratio_to_node_memory": _middle(a["cpu_ms"] / b["cpu_ms"] for a, b in zip(ours, peer, strict=False)),
        "p99_ratio_to_node_memory": _middle(a["p99_ms"] / b["p99_ms"] for a, b in zip(ours, peer, strict=False)),
        "node_memory_cpu_ms": _middle(run["cpu_ms"] for run in peer),
        "node_memory_per_second": _middle(run["per_second"] for run in peer),
        "cpu_ms_range": [min(run["cpu_ms"] for run in ours), max(run["cpu_ms"] for run in ours)],
        "rss_mb": max(run["rss_mb"] for run in ours),
        "foreign": max(run["foreign"] for run in ours + peer),
        "repeats": len(ours),
    }


def as_json(rows: Iterable[Mapping[str, Any]]) -> str:
    """One object a line."""
    return "\n".join(json.dumps(found) for found in rows)


COLUMNS = (
    ("workload", "workload"),
    ("alg", "alg"),
    ("concurrency", "in flight"),
    ("per_second", "per s"),
    ("p50_ms", "p50 ms"),
    ("p99_ms", "p99 ms"),
    ("cpu_ms", "CPU ms"),
    ("statements", "statements"),
    ("commits", "commits"),
    ("node_memory_cpu_ms", "node CPU ms"),
    ("ratio_to_node_memory", "ratio"),
    ("foreign", "others' CPU"),
)


def as_table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Columns of equal width, one line a cell."""
    lines = [[title for _, title in COLUMNS]]
    lines += [["-" if found[name] is None else f"{found[name]}" for name, _ in COLUMNS] for found in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    return "\n".join("  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)) for line in lines)


def breakdown(shares: Mapping[str, float], served: float | None) -> str:
    """The breakdown, largest first, with what the server around the application adds."""
    inside = sum(spent for name, spent in shares.items() if name.startswith("request "))
    lines = [f"  {spent:7.3f} ms  {name}" for name, spent in shares.items()]
    lines.append(f"  {inside:7.3f} ms  = one RS256 code flow inside the application, one at a time")
    if served is not None:
        lines.append(f"  {served:7.3f} ms  = the same as served, 8 in flight: the rest is the server around it")
    return "\n".join(lines)


def _middle(values: Iterable[float]) -> float | None:
    found = list(values)
    return round(median(found), 3) if found else None
