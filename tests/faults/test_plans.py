"""What a seed draws is always the same, and what counts copies, rates and order sees what is wrong."""

from faults import windows
from faults.cases import chance, sequences
from faults.ledgers import Sent


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
