"""The live feed by cursor, without gaps. Rows are written with no cursor; the first reader stamps them under a lock, in one order, after
their writers have committed. A row whose writer is still busy is simply stamped later, with a higher cursor (desk.md 6.2).
"""

from dataclasses import dataclass

from django.db import connection, transaction

from apps.conversations.models import FeedItem

STAMP_LOCK = 0x1A4F << 48


@dataclass(frozen=True)
class Page:
    """`items` after the cursor asked for, in order; `cursor` to ask with next. `reset`: the cursor is older than what is kept, load anew."""

    items: list[FeedItem]
    cursor: int
    reset: bool = False


def head() -> int:
    """The newest cursor; what a client starts from together with a snapshot."""
    stamp()
    return FeedItem.objects.filter(cursor__isnull=False).order_by("-cursor").values_list("cursor", flat=True).first() or 0


def read(after: int, *, limit: int = 200, **scope: object) -> Page:
    """Items after `after` within `scope` (ORM conditions on the feed's own columns, e.g. `conversation_id=7` or `lead_id=3`)."""
    newest = head()
    oldest = FeedItem.objects.filter(cursor__isnull=False).order_by("cursor").values_list("cursor", flat=True).first() or 0
    if after and after < oldest - 1:
        return Page(items=[], cursor=newest, reset=True)
    items = list(FeedItem.objects.filter(cursor__gt=after, cursor__lte=newest, **scope).order_by("cursor")[: limit + 1])
    if len(items) > limit:
        return Page(items=items[:limit], cursor=items[limit - 1].cursor or newest)
    return Page(items=items, cursor=max(newest, after))


def stamp() -> None:
    """Give cursors to committed rows that have none; skipped while another reader does it and there is nothing to wait for."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM conversations_feeditem WHERE cursor IS NULL)")
        if not cursor.fetchone()[0]:
            return
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [STAMP_LOCK])
        cursor.execute(
            """
            WITH top AS (SELECT coalesce(max(cursor), 0) AS cursor FROM conversations_feeditem),
            fresh AS (SELECT id, row_number() OVER (ORDER BY id) AS place FROM conversations_feeditem WHERE cursor IS NULL)
            UPDATE conversations_feeditem AS item SET cursor = top.cursor + fresh.place FROM fresh, top WHERE item.id = fresh.id
            """,
        )
