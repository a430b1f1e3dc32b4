"""The database's time, known without asking each time: what waits for a moment waits by this clock (delivery.md).

The wall clock of a machine may be wrong or jump while we run; then a timer would fire at once or hours late. So the database is asked now and
then, and our monotonic clock, which does not jump, counts from there.
"""

import time
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

ASK_AGAIN_SECONDS = 30.0
_known: tuple[datetime, float] | None = None


def now() -> datetime:
    """Never asks anybody; the machine's own time until `keep` was called for the first time."""
    known = _known
    return known[0] + timedelta(seconds=time.monotonic() - known[1]) if known else timezone.now()


def keep() -> datetime:
    """`now`, after asking the database when that was long ago; needs a connection that can be used."""
    global _known  # noqa: PLW0603  one process has one idea of the time
    if _known is None or time.monotonic() - _known[1] > ASK_AGAIN_SECONDS:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            _known = cursor.fetchone()[0], time.monotonic()
    return now()
