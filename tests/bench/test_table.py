"""The arithmetic of the measurements: ratios, targets, and the line that sums it up."""

from dataclasses import replace

import pytest

from bench import idle, table
from bench.measuring import Measure
from bench.requests import Kind
from bench.runs import Results


def _measure(system: str, kind: Kind, rate: float, *, p50: float = 0, p99: float = 0) -> Measure:
    cpu = {"web": 1.0, "worker": 0.5, "postgres": 0.7, "valkey": 0.1, "messenger": 0.1, "generator": 0.3}
    return Measure(
        system,
        kind,
        count=100,
        offered=0,
        rate=rate,
        p50=p50,
        p99=p99,
        answered_p50=0,
        answered_p99=0,
        cpu=cpu,
        lost=0,
        doubled=0,
        refused=0,
    )


def _results(system: str, kind: Kind, rate: float) -> Results:
    burst = _measure(system, kind, rate)
    return Results(
        system,
        kind,
        burst,
        slow_burst=replace(burst, rate=rate * 0.75),
        half=_measure(system, kind, rate / 2, p50=12.4, p99=80.6),
        half_of_asked=_measure(system, kind, 250, p50=20.4, p99=120.0) if system == table.OURS else None,
        memory={"web": 100.0, "worker": 50.4},
    )


@pytest.fixture
def results() -> list[Results]:
    rates: dict[tuple[str, Kind], float] = {
        (table.OURS, "order"): 600,
        (table.BARE, "order"): 400,
        (table.CELERY, "order"): 150,
        (table.OURS, "order_async"): 800,
        (table.OURS, "answer"): 450,
        (table.BARE, "answer"): 360,
        (table.CELERY, "answer"): 150,
    }
    return [_results(system, kind, rate) for (system, kind), rate in rates.items()]


def test_the_last_line_has_its_exact_form(results: list[Results]) -> None:
    assert table.last_line(results) == (
        "B1 600/s 1.5×bare 4.0×celery p50 12 ms p99 81 ms · B2 450/s 1.2×bare 3.0×celery p50 12 ms p99 81 ms"
    )


def test_a_call_that_does_not_wait_is_compared_with_the_same_baselines(results: list[Results]) -> None:
    unwaiting = next(one for one in results if one.kind == "order_async")
    assert table.times(unwaiting, results, table.BARE) == 2.0


def test_without_its_baseline_there_is_no_ratio(results: list[Results]) -> None:
    ours = [one for one in results if one.system == table.OURS]
    assert table.times(ours[0], ours, table.BARE) is None
    assert [text for text, _held in table.targets(ours) if "bare" in text] == []


def test_each_target_says_what_was_seen_and_whether_it_holds(results: list[Results]) -> None:
    told = dict(table.targets(results))
    assert told["B1 600/s, wanted 500/s"]
    assert not told["B2 450/s, wanted 500/s"]
    assert told["B1 1.5×bare, wanted 1.2×"]
    assert not told["B2 1.2×bare, wanted 1.5×"]
    assert told["B2 3.0×celery, wanted 3.0×"]
    assert told["B1 0.75 of that when the messenger takes 50 ms, wanted 0.7"]
    assert told["B2 at half of its burst p99 81 ms, wanted 100 ms"]
    assert told["B2 at 250/s p50 20 ms, wanted 25 ms"]
    assert not told["B2 at 250/s p99 120 ms, wanted 100 ms"]


def test_a_row_tells_rates_ratios_waiting_cost_and_memory(results: list[Results]) -> None:
    head, row, *_others = table.rows(results)
    assert dict(zip(head, row, strict=True)) == {
        "": "B1 Dialog Bus",
        "burst": "600/s",
        "× bare": "1.5",
        "× Celery": "4.0",
        "burst, 50 ms": "450/s",
        "p50 / p99 at half": "12 / 81 ms",
        "the same, 50 ms": "",
        "at 250/s": "20 / 120 ms",
        "CPU an event": "2.7 ms",
        "of it own": "1.5 ms",
        "memory": "150 MB",
    }


def test_tables_are_aligned_and_marked_down() -> None:
    rows = [["a", "long head"], ["longer", "b"]]
    assert table.plain(rows) == "a       long head\nlonger  b"
    assert table.markdown(rows) == "| a | long head |\n|---|---|\n| longer | b |"


def test_quiet_costs_are_summed_and_judged() -> None:
    assert idle.rows({"web": 0.5, "beat": 0.25}, {"web": 100.0, "beat": 40.0})[-1] == ["all", "0.75 %", "140 MB"]
    assert idle.verdict(1.9, 599).startswith("idle 1.9 % of a core 599 MB: held")
    assert idle.verdict(2.1, 599).startswith("idle 2.1 % of a core 599 MB: MISSED")
