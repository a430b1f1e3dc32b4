"""Many callers, one batch: each gets its own answer or its own error."""

import threading
from collections.abc import Callable, Sequence

import pytest
from django.db import OperationalError

from apps.core.together import Together, aside

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_lone_caller_is_served() -> None:
    doubled: Together[int, int] = Together(lambda asked: [2 * one for one in asked])
    assert doubled(21) == 42


def test_who_comes_meanwhile_shares_the_next_batch() -> None:
    batches: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def work(asked: Sequence[int]) -> list[int]:
        batches.append(len(asked))
        begun.set()
        assert go_on.wait(5)
        return [2 * one for one in asked]

    doubled = Together(work)
    answers: dict[int, int] = {}
    callers = [threading.Thread(target=_ask, args=(doubled, number, answers)) for number in range(5)]
    callers[0].start()
    assert begun.wait(5)
    for caller in callers[1:]:
        caller.start()
    while len(doubled._waiting) < 4:
        threading.Event().wait(0.005)
    go_on.set()
    for caller in callers:
        caller.join(5)
    assert batches == [1, 4]
    assert answers == {number: 2 * number for number in range(5)}


def test_one_callers_fault_is_not_anothers() -> None:
    def work(asked: Sequence[int]) -> list[int]:
        if 3 in asked:
            raise ValueError("three")
        return list(asked)

    same = Together(work)
    with pytest.raises(ValueError, match="three"):
        same(3)
    assert same(4) == 4


def test_a_database_that_is_away_is_told_to_all() -> None:
    def work(_asked: Sequence[int]) -> list[int]:
        raise OperationalError("away")

    with pytest.raises(OperationalError):
        Together(work)(1)


def test_who_does_not_wait_is_told_when_it_failed() -> None:
    told: list[BaseException] = []

    def work(_asked: Sequence[int]) -> list[int]:
        raise ValueError("no")

    together = Together(work)
    together.without_waiting(1, failed=told.append)
    together.finish()
    assert [type(error) for error in told] == [ValueError]


def test_what_is_asked_aside_may_ask_aside_itself() -> None:
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(aside(lambda: aside(lambda: 7))))
    thread.start()
    thread.join(5)
    assert answers == [7]


def _ask(together: Callable[[int], int], number: int, answers: dict[int, int]) -> None:
    answers[number] = together(number)
