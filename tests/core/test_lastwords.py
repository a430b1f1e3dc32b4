"""What forked processes tell one another of their deaths."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from apps.core import lastwords
from apps.core.lastwords import LastWords

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="processes are forked on Linux only")


def forked(work: Callable[[], object]) -> int:
    """A process that does this and then goes without a word."""
    pid = os.fork()
    if not pid:
        try:
            work()
        finally:
            os._exit(0)
    return pid


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def die(words: LastWords, *names: str) -> None:
    with words.in_hand(names):
        os.kill(os.getpid(), signal.SIGKILL)


def answer(words: LastWords, *names: str) -> frozenset[str]:
    """What a process forked later holds for doubtful."""
    reading, writing = os.pipe()
    pid = forked(lambda: os.write(writing, ",".join(sorted(words.doubtful(names))).encode()))
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    assert ended(pid) == 0
    return frozenset(filter(None, told.split(",")))


@contextmanager
def waiting(begin: Callable[[Callable[[], object]], object]) -> Iterator[Callable[[], int]]:
    """A living process that does `begin`, which is given something to wait with; the given function lets it go on and returns how it ended."""
    reading, writing = os.pipe()
    going, go = os.pipe()

    def wait() -> None:
        os.write(writing, b"x")
        os.read(going, 1)

    def end() -> int:
        os.write(go, b"x")
        return ended(pid)

    pid = forked(lambda: begin(wait))
    os.read(reading, 1)
    yield end
    for pipe in (reading, writing, going, go):
        os.close(pipe)


def test_what_a_process_died_with_is_doubtful_to_others_and_nothing_else() -> None:
    words = LastWords()
    assert ended(forked(lambda: die(words, "1:7", "1:8"))) == -signal.SIGKILL
    assert words.doubtful(["1:7", "1:8", "1:9"]) == {"1:7", "1:8"}
    assert answer(words, "1:7", "1:9") == {"1:7"}


def test_a_death_is_known_before_the_parent_has_noticed_it() -> None:
    words = LastWords()
    pid = forked(lambda: die(words, "1:7"))
    end = time.monotonic() + 5
    while not words.doubtful(["1:7"]) and time.monotonic() < end:
        time.sleep(0.01)
    assert answer(words, "1:7") == {"1:7"}
    ended(pid)  # until here it was a zombie


def test_who_came_back_from_its_work_leaves_nothing() -> None:
    words = LastWords()

    def work() -> None:
        with words.in_hand(["1:7"]):
            pass
        os.kill(os.getpid(), signal.SIGKILL)

    ended(forked(work))
    assert not words.doubtful(["1:7"])


def test_what_a_living_process_has_in_hand_is_not_doubtful() -> None:
    words = LastWords()

    def work(wait: Callable[[], object]) -> None:
        with words.in_hand(["1:7"]):
            wait()

    with waiting(work) as end:
        assert not words.doubtful(["1:7"])
        assert end() == 0
        assert not words.doubtful(["1:7"])


def test_it_is_forgotten_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lastwords, "REMEMBERED_SECONDS", 0.05)
    words = LastWords()
    ended(forked(lambda: die(words, "1:7")))
    assert words.doubtful(["1:7"])
    time.sleep(0.06)
    assert not words.doubtful(["1:7"])


def test_the_place_of_a_dead_process_is_given_to_a_later_one() -> None:
    words = LastWords()
    ended(forked(lambda: die(words, "1:7")))
    for _fork in range(lastwords.PLACES - 1):
        ended(forked(lambda: None))
    assert not answer(words, "1:7")
    ended(forked(lambda: die(words, "1:8")))
    assert answer(words, "1:8")


def test_a_living_process_keeps_its_place_however_many_die_beside_it() -> None:
    words = LastWords()

    def work(wait: Callable[[], object]) -> None:
        wait()
        die(words, "1:7")

    with waiting(work) as end:
        for _fork in range(lastwords.PLACES):
            ended(forked(lambda: None))
        assert end() == -signal.SIGKILL
        assert answer(words, "1:7") == {"1:7"}


def test_where_nobody_shares_nothing_is_known() -> None:
    with lastwords.in_hand(["1:7"]):
        assert not lastwords.doubtful(["1:7"])
