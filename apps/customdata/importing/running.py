"""A load from its row to its end: read, check, wait for a decision, load. Whoever holds the lock of the row works; killed, the next one goes on.

start(job)        the columns are chosen: read and check (and load at once when the job says so)
confirm(job)      the decision after the check: load
cancel(job)       stop; rows that were loaded stay, in the all-or-nothing mode none are
work(job_id)      do what there is to do, for at most `seconds`
due()             the loads that wait for a worker
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from django.db import InterfaceError, connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from apps.core import audit, redis
from apps.core.trace import new_trace_id, trace
from apps.customdata import structure
from apps.customdata.importing import checking, loading, reading, staging
from apps.customdata.importing.limits import FileError
from apps.customdata.importing.loading import LostError, PauseError
from apps.customdata.importing.models import ImportJob
from apps.customdata.importing.plan import Plan, check, plan_of
from apps.customdata.importing.sniffing import Form
from apps.customdata.noting import Actor
from apps.events import recording

logger = structlog.get_logger(__name__)
State = ImportJob.State
LOCK_SPACE = 0x696D706F  # "impo": the space of our advisory locks
MOST_ATTEMPTS = 5  # that brought nothing forward
REDIS_SECONDS = 600


def start(job: ImportJob, *, at_once: bool = False, by_hand: bool = False) -> None:
    """The columns are chosen: read the file and check it; `at_once`: then load; `by_hand`: the caller
    works itself. Raises `FileError` for a plan that cannot be carried out.
    """
    plan = plan_of(job, structure.fresh(job.table_id))
    check(plan)
    job.state, job.fingerprint, job.load_at_once = State.STAGING, plan.fingerprint, at_once
    job.staged = job.total = job.checked = job.loaded = job.bad = job.mistakes = job.created = job.updated = job.attempts = 0
    job.error, job.cancel_asked, job.finished_at, job.seconds = "", False, None, 0
    job.trace_id = job.trace_id or new_trace_id()
    job.save()
    if not by_hand:
        hint(job)


def confirm(job: ImportJob) -> bool:
    """Load what was checked; False when somebody else has decided meanwhile."""
    taken = ImportJob.objects.filter(pk=job.pk, state=State.CHECKED).update(
        state=State.LOADING, mode=job.mode, attempts=0, cancel_asked=False
    )
    if taken:
        hint(job)
    return bool(taken)


def cancel(job: ImportJob) -> None:
    """Stops a load that waits for a decision at once, a working one after its present batch."""
    waiting = (State.DRAFT, State.CHECKED)
    if ImportJob.objects.filter(pk=job.pk, state__in=waiting).update(state=State.CANCELLED, finished_at=timezone.now()):
        staging.drop(job)
    else:
        ImportJob.objects.filter(pk=job.pk, state__in=ImportJob.ACTIVE).update(cancel_asked=True)
        hint(job)


def hint(job: ImportJob) -> None:
    """Tell a worker when this transaction is committed; the sweep finds what no hint told."""
    transaction.on_commit(lambda: send_hint(job.pk))


def send_hint(job_id: int) -> None:
    from apps.customdata.importing.tasks import run_import  # noqa: PLC0415  tasks import this module

    try:
        run_import.delay(job_id)
    except (RedisError, OSError, run_import.OperationalError) as error:
        logger.warning("no hint to workers: the sweep will find the import", error=type(error).__name__)


def due() -> list[int]:
    """The loads that have something to do; the lock shows which of them nobody works on."""
    return list(ImportJob.objects.filter(state__in=ImportJob.ACTIVE).order_by("pk").values_list("pk", flat=True))


def progress(job: ImportJob) -> int:
    """Rows gone through in the present stage, as well as is known; an all-or-nothing load tells by Redis what is not committed yet."""
    if job.state == State.STAGING:
        return job.staged
    if job.state == State.CHECKING:
        return job.checked
    try:
        told = redis.client().get(_progress_key(job)) if job.state == State.LOADING and job.mode == ImportJob.Mode.ALL else None
    except RedisError:
        told = None
    return max(job.loaded, int(told)) if isinstance(told, bytes | str) else job.loaded


def _progress_key(job: ImportJob) -> str:
    return f"import:{job.pk}:loaded"


@contextmanager
def _held(number: int, *, space: int = LOCK_SPACE) -> Iterator[bool]:
    """Whether this process alone has the number; a dead holder lets go with its connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [space, number % 2**31])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [space, number % 2**31])


@contextmanager
def slot(count: int) -> Iterator[bool]:
    """Whether one of `count` places for loads is free; it is taken for the length of the block."""
    for number in range(count):
        with _held(number, space=LOCK_SPACE + 1) as mine:
            if mine:
                yield True
                return
    yield False


def work(job_id: int, *, seconds: float = float("inf")) -> bool:
    """Go on with a load for at most so long; whether there is more to do."""
    until = time.monotonic() + seconds
    with _held(job_id) as mine:
        job = (
            ImportJob.objects.select_related("table", "created_by").filter(pk=job_id, state__in=ImportJob.ACTIVE).first() if mine else None
        )
        if job is None:
            return False
        with trace(job.trace_id), _unhurried():
            return _guarded(job, lambda: time.monotonic() < until)


@contextmanager
def _unhurried() -> Iterator[None]:
    """Statements over a whole file may take their time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout'), set_config('statement_timeout', '0', false)")
        before = cursor.fetchone()[0]
        try:
            yield
        finally:
            if connection.is_usable():
                cursor.execute("SELECT set_config('statement_timeout', %s, false)", [before])


def _guarded(job: ImportJob, in_time: Callable[[], bool]) -> bool:
    """Nothing that a file or a field can do stops the worker; what fails without any progress is given up after a few attempts."""
    ImportJob.objects.filter(pk=job.pk).update(attempts=job.attempts + 1)
    began = time.monotonic()
    try:
        return _stages(job, in_time)
    except FileError as error:
        _end(job, State.FAILED, error=str(error))
    except PauseError:
        ImportJob.objects.filter(pk=job.pk).update(attempts=0)
    except LostError:
        logger.info("another worker has gone on with an import", job=job.pk)
    except Exception as error:
        logger.exception("an import was interrupted", job=job.pk)
        if isinstance(error, InterfaceError) or not connection.is_usable():
            raise
        if job.attempts + 1 >= MOST_ATTEMPTS:
            _end(job, State.FAILED, error=_("It was interrupted %(count)s times. The log says why.") % {"count": MOST_ATTEMPTS})
    finally:
        if connection.is_usable():
            spent = time.monotonic() - began
            ImportJob.objects.filter(pk=job.pk).update(seconds=F("seconds") + spent)
    return False


def _stages(job: ImportJob, in_time: Callable[[], bool]) -> bool:
    """One stage after the other, until time is up, there is nothing to do or somebody cancels."""
    stages = {State.STAGING: _stage, State.CHECKING: _check, State.LOADING: _load}
    while job.state in stages and in_time():
        finished = stages[State(job.state)](job, lambda: in_time() and not _cancelled(job))
        if _cancelled(job):
            _end(job, State.CANCELLED)
        elif not finished:
            return True
    return job.is_active


def _cancelled(job: ImportJob) -> bool:
    return ImportJob.objects.filter(pk=job.pk, cancel_asked=True).exists()


def _stage(job: ImportJob, going_on: Callable[[], bool]) -> bool:
    plan = _plan(job)
    if not job.staged or not staging.has_texts(job, job.staged):
        staging.prepare(job, plan)
        job.staged = 0
    with reading.local(str(job.file.name)) as path, reading.opened(path, Form(**job.form)) as rows:
        next(rows, None)
        if not staging.copy(job, plan, rows, going_on=lambda: _forward(job) and going_on()):
            return False
    with transaction.atomic():
        checking.begin(job)
        _move(job, State.CHECKING, total=job.staged)
    return True


def _check(job: ImportJob, going_on: Callable[[], bool]) -> bool:
    plan = _plan(job)
    if not staging.has_texts(job, job.total) or not staging.has_values(job, job.checked):
        _move(job, State.STAGING, staged=0)
        return True
    for _position in checking.batches(job, plan):
        if not (_forward(job) and going_on()):
            return False
    with transaction.atomic():
        checking.finish(job, plan)
        if job.load_at_once and not (job.bad and job.mode == ImportJob.Mode.ALL):
            _move(job, State.LOADING)
        elif job.load_at_once:
            _end(job, State.REFUSED)
        else:
            _move(job, State.CHECKED)
    return True


def _load(job: ImportJob, going_on: Callable[[], bool]) -> bool:
    if not staging.has_values(job, job.total):
        _move(job, State.STAGING, staged=0, load_at_once=True)
        return True
    by = actor(job)
    whole = job.mode == ImportJob.Mode.ALL
    if whole and job.bad:
        _end(job, State.REFUSED)
        return True
    if not whole:
        for _done in loading.load(job, by=by):
            if not (_forward(job) and going_on()):
                return False
    elif not _load_whole(job, by):
        return True
    _end(job, State.DONE)
    return True


def _load_whole(job: ImportJob, by: Actor) -> bool:
    """All batches in one transaction; False when it was cancelled and nothing was loaded. A time limit does not stop it: it would begin anew."""
    with transaction.atomic():
        for _done in loading.load(job, by=by):
            _tell(job)
            if _cancelled(job):
                transaction.set_rollback(True)
                job.loaded = job.created = job.updated = 0
                return False
    return True


def _tell(job: ImportJob) -> None:
    try:
        redis.client().set(_progress_key(job), job.loaded, ex=REDIS_SECONDS)
    except RedisError:
        logger.warning("redis is away; the progress of an import is not told")


def actor(job: ImportJob) -> Actor:
    """Who stands in the histories of the records."""
    name = str(job.created_by) if job.created_by else ""
    return Actor("import", f"{name} · {_('import')} #{job.pk}".strip(" ·")[:150], job.created_by_id)


def _plan(job: ImportJob) -> Plan:
    plan = plan_of(job, structure.fresh(job.table_id))
    if plan.fingerprint != job.fingerprint:
        raise FileError(_("The model's fields were changed meanwhile. Choose the columns and check again."))
    return plan


def _forward(job: ImportJob) -> bool:
    """There was progress: attempts count anew."""
    ImportJob.objects.filter(pk=job.pk, attempts__gt=0).update(attempts=0)
    job.attempts = 0
    return True


def _move(job: ImportJob, state: ImportJob.State, **values: Any) -> None:
    """To the next stage; raises `LostError` when the row is elsewhere already."""
    if not ImportJob.objects.filter(pk=job.pk, state=job.state).update(state=state, **values):
        raise LostError
    job.state = state
    for name, value in values.items():
        setattr(job, name, value)


def _end(job: ImportJob, state: ImportJob.State, *, error: str = "") -> None:
    """The end, once: staging goes, the audit trail and the log tell who loaded what."""
    with transaction.atomic():
        _move(job, state, finished_at=timezone.now(), error=error[:500])
        staging.drop(job)
        told = {
            "model": job.table.alias,
            "file": job.name,
            "state": str(state),
            "created": job.created,
            "updated": job.updated,
            "refused": job.bad,
        }
        audit.record(job.created_by, "customdata.import", job, **told)
        recording.record(
            "records.imported" if state == State.DONE else "records.import_stopped",
            status="success" if state == State.DONE else "fail",
            details={**told, "rows": job.total, "mistakes": job.mistakes, "import": job.pk},
            bot_id=job.table.bot_id,
            user_id=job.created_by_id,
        )
