"""Quantiles, requests, arrivals and copies, without a clock."""

import json
from pathlib import Path

from bench.arrivals import Arrivals
from bench.filling import statement
from bench.measuring import Measure, median, quantile
from bench.requests import FIRST_CHAT, SECRET_HEADER, Address


def test_quantiles_are_values_that_were_seen() -> None:
    ordered = [float(number) for number in range(1, 101)]
    assert quantile(ordered, 0.5) == 51.0
    assert quantile(ordered, 0.99) == 100.0
    assert quantile([7.0], 0.99) == 7.0
    assert quantile([], 0.5) != quantile([], 0.5)  # not a number


def test_the_median_run_counts() -> None:
    runs = [_measure(rate) for rate in (300.0, 100.0, 200.0)]
    assert median(runs).rate == 200.0


def test_own_cost_leaves_servers_messenger_and_generator_out() -> None:
    assert _measure(1).own_cpu == 1.5
    assert _measure(1).total_cpu == 2.5


def test_requests_of_each_kind() -> None:
    headers, body = Address("order", "http://x", "token", people=10).request(23)
    assert headers == {"Content-Type": "application/json", "Authorization": "Bearer token"}
    assert json.loads(body) == {"userId": 3, "order": 23, "amount": 500, "customer": "Anna"}
    assert Address("order_async", "http://x", "token", people=10).request(24)[0]["Prefer"] == "respond-async"
    headers, body = Address("answer", "http://x", "secret", people=10).request(23)
    assert headers[SECRET_HEADER] == "secret"
    assert json.loads(body)["message"]["chat"]["id"] == FIRST_CHAT + 3
    assert json.loads(body)["message"]["text"] == "23"


def test_arrivals_are_told_apart_by_their_numbers_and_repeats_are_counted(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    lines = [_line(1.0, "Order #5 over"), _line(2.0, "Noted: #6."), _line(3.0, "Order #5 over"), _line(4.0, "no number")]
    ledger.write_text("\n".join(lines) + "\n" + _line(5.0, "#7")[:10])
    arrivals = Arrivals(ledger)
    assert arrivals.of(5, 3) == 2
    assert arrivals.at == {5: 1.0, 6: 2.0}
    assert arrivals.times == {5: 2, 6: 1}


def test_a_copy_keeps_what_is_not_its_own() -> None:
    sql = statement("lead", ["id", "name"], {"id": "100 + n.i"})
    assert sql == (
        'INSERT INTO lead ("id", "name") SELECT 100 + n.i, t."name" FROM generate_series(1, %s) AS n(i), '
        "(SELECT * FROM lead ORDER BY id DESC LIMIT 1) AS t"
    )


def _line(at: float, text: str) -> str:
    return json.dumps({"time": at, "params": {"text": text}})


def _measure(rate: float) -> Measure:
    cpu = {"web": 1.0, "sender": 0.5, "postgres": 0.7, "generator": 0.3}
    return Measure(
        "x", "order", count=1, offered=0, rate=rate, p50=0, p99=0, answered_p50=0, answered_p99=0, cpu=cpu, lost=0, doubled=0, refused=0
    )
