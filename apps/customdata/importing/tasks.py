"""Celery's part of imports: hints become work in slices, beat finds what was dropped. All the truth is in the rows (`running`)."""

from celery import shared_task

from apps.customdata import bi, searching
from apps.customdata.importing import running, tidying

SLICE_SECONDS = 30
AT_ONCE = 2  # loads in all processes together, so that dialogues keep their workers


@shared_task(name="customdata.import", expires=60)
def run_import(job_id: int) -> bool:
    """Go on with a load for half a minute; then hint again, so that a busy worker can be stopped between slices."""
    with running.slot(AT_ONCE) as free:
        more = free and running.work(job_id, seconds=SLICE_SECONDS)
    if more:
        running.send_hint(job_id)
    return more


@shared_task(name="customdata.sweep_imports", expires=5)
def sweep_imports() -> None:
    for job_id in running.due():
        running.send_hint(job_id)


@shared_task(name="customdata.sweep_bi", expires=30)
def sweep_bi() -> None:
    """Views for BI that could not be made when their model changed, and copies of personal values where they are wanted."""
    bi.keep()


@shared_task(name="customdata.sweep_search", expires=30)
def sweep_search() -> None:
    """Indexes that searching in big models needs."""
    searching.keep_indexes()


@shared_task(name="customdata.tidy_imports", expires=600)
def tidy_imports() -> None:
    tidying.tidy()
