"""What those who run an installation do to it: two beats, everything down while timers fall due, a new release under load."""

import time
from functools import partial

from faults import audit, dialogues
from faults.driver import Driver
from faults.matrix import MACHINE, Run, fault

TIMELY = 5.0
RELEASE = 10.0


@fault("two beats run side by side", bound="every timer fires once", quick=True)
def two_beats(run: Run) -> None:
    run.ground.want("beat2")
    try:
        run.ground.sleep(3)
        chats = run.people("reminding", chats=30, count=1, bots=2, definition=dialogues.reminding(2))
        run.finish(run.driver(chats, rate=15).start())
    finally:
        run.ground.drop("beat2")


@fault("everything is down while timers fall due", bound=f"each fires once, ≤ {TIMELY:g} s after all is up", quick=True, takes=MACHINE)
def timers_due_while_down(run: Run) -> None:
    """Kill -9 of web, workers, senders and beat; the timers fall due; all come back."""
    seconds = 4.0
    chats = run.people("reminding", chats=20, count=1, bots=2, definition=dialogues.reminding(seconds))
    driver = run.driver(chats, rate=40).start()
    run.until(lambda: driver.done and _first_answers(driver) == len(chats), "the first answers", seconds=30)
    down = sorted(run.ground.wanted)
    run.ground.wanted.clear()
    for name in down:
        run.ground.processes[name].kill()
    run.ground.sleep(seconds)
    for name in down:
        run.ground.want(name)
    run.ground.await_up()
    up = time.time()
    run.finish(driver, allowed=audit.Allowed(copies=True))
    late = [sent.time for chat in chats for sent in driver.messenger.of(chat.telegram_id, chat.id) if sent.text.startswith("late:")]
    run.within("last timer", max(0.0, max(late, default=up) - up), TIMELY)


@fault(
    "a new release under load: a migration of three tables, back and forth again, then every process is asked to stop and a new one takes its place",
    bound=f"nothing lost, no extra copy, 2xx again ≤ {RELEASE:g} s",
)
def release_under_load(run: Run) -> None:
    chats = run.mixed(chats=48, count=20)
    driver = run.driver(chats, rate=40).start()
    run.ground.sleep(2)
    began = time.time()
    later = partial(run.ground.migrate, settings="faults.later.settings")
    said = later(), later("later", "zero"), later()
    run.measured["migrations"] = f"3 in {time.time() - began:.1f} s"
    run.measured["tried again"] = str("".join(said).count("tried again"))
    for name in sorted(run.ground.wanted, key=("beat1", "worker1", "worker2", "sender1", "sender2", "web1").index):
        run.ground.processes[name].ask_to_stop()
        run.until(partial(_is_new, run, name, began), f"the end of {name}")
        run.ground.await_up()
    run.finish(driver, seconds=90)
    run.within("longest without a 2xx", _longest_gap(driver, began), RELEASE)


def _is_new(run: Run, name: str, since: float) -> bool:
    return run.ground.starts.get(name, 0) >= since


def _longest_gap(driver: Driver, since: float) -> float:
    """Seconds in which somebody posted and nobody was told 2xx."""
    good = sorted(answer.time + answer.ms / 1000 for answer in driver.answers if 200 <= answer.status < 300)  # noqa: PLR2004
    refused = [answer.time for answer in driver.answers if answer.time > since and not 200 <= answer.status < 300]  # noqa: PLR2004
    return max((min((at for at in good if at > moment), default=moment + 999) - moment for moment in refused), default=0.0)


def _first_answers(driver: Driver) -> int:
    driver.messenger.look()
    return sum(bool(driver.messenger.of(chat.telegram_id, chat.id)) for chat in driver.chats)
