"""What a seed draws is always the same, and what counts copies, rates and order sees what is wrong."""

from faults import telling, tracks, windows
from faults.cases import chance, sequences
from faults.ledgers import Sent
from faults.matrix import MACHINE, Fault, Verdict


def test_a_seed_repeats_its_plan() -> None:
    assert chance.plan(7) == chance.plan(7) != chance.plan(8)
    assert sequences.plan(7, 3) == sequences.plan(7, 3) != sequences.plan(7, 4)


def test_a_plan_kills_often_enough() -> None:
    blows = [blow.what for blow in chance.plan(7)]
    assert len(blows) == chance.BLOWS
    assert sum(what in chance.DEADLY for what in blows) >= 30


def test_a_sequence_draws_from_every_kind_of_event() -> None:
    drawn = [event for number in range(20) for event in sequences.plan(7, number)]
    assert len(drawn) == 20 * sequences.EVENTS
    assert set(drawn) == set(sequences.WEIGHTS)


def test_thirty_one_messages_in_a_second_are_seen() -> None:
    even = [Sent(time=number / 31, bot=1, chat=number, text="", message_id=number, buttons={}) for number in range(31)]
    assert list(windows.exceeded(even)) == ["bot 1: 31 messages within a second"]
    assert list(windows.exceeded(even[:30])) == []


def test_a_chat_that_gets_more_than_a_short_burst_is_seen() -> None:
    burst = [Sent(time=100.0, bot=1, chat=5, text="", message_id=number, buttons={}) for number in range(4)]
    assert list(windows.exceeded(burst)) == ["chat 5: 4.0 messages ahead of one a second"]
    assert list(windows.exceeded(burst[:3])) == []


def test_a_run_is_told_as_a_table() -> None:
    fault = Fault("cut", "the line is cut", "all arrives ≤ 5 s", lambda _run: None)
    held = Verdict("cut", 7, 1.0, {"recovery": "1.20 s"}, [])
    broken = Verdict("cut", 7, 1.0, {}, ["1 nothing lost: chat 5: lost ['a']"])
    skipped = Verdict("cut", 7, 0.0, {}, [], skipped="no line here")
    told = [(fault, verdict) for verdict in (held, broken, skipped)]
    assert telling.count(told) == "1 of 3 held, 1 skipped"
    assert [row.split()[-1] for row in telling.table(told).splitlines()[1:]] == ["held", "BROKEN", "skip"]
    assert telling.markdown(told, seed=7, seconds=60).splitlines()[4:] == [
        "| the line is cut (`cut`) | all arrives ≤ 5 s | recovery 1.20 s | yes |",
        "| the line is cut (`cut`) | all arrives ≤ 5 s | <br>1 nothing lost: chat 5: lost ['a'] | **no** |",
        "| the line is cut (`cut`) | all arrives ≤ 5 s | no line here | skipped |",
    ]


def test_a_track_that_breaks_down_is_told_of_each_of_its_faults() -> None:
    strange = [
        Fault(name, "a fault that no track knows", "none", lambda _run: None, takes=takes) for name, takes in (("one", MACHINE), ("two", 0))
    ]
    ended: list[str] = []
    told = tracks.run(strange, seed=7, side_by_side=2, tell=lambda fault, _verdict: ended.append(fault.name))
    assert [fault.name for fault, _verdict in told] == ["one", "two"]
    assert ended == ["two", "one"]  # what needs the whole machine comes last
    assert all(verdict.problems[0].startswith("the track ended:") for _fault, verdict in told)
