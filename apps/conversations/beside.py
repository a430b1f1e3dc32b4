"""What a sender has to do beside messages: calls, files to fetch, presses to acknowledge, claims of the dead to free."""

from typing import NamedTuple

from apps.conversations.models import Acknowledgement
from apps.core import hot


class Others(NamedTuple):
    """What there is to do beside messages."""

    calls: bool
    files: bool
    acknowledgements: bool


def look() -> Others:
    """One look that says mostly no, in place of claims that find nothing."""
    rows = hot.run(
        """
        SELECT EXISTS (SELECT 1 FROM conversations_call WHERE state = 'pending' AND claimed_by IS NULL AND due_at <= clock_timestamp()),
            EXISTS (SELECT 1 FROM conversations_attachment WHERE state = 'pending' AND claimed_by IS NULL AND due_at <= clock_timestamp()),
            EXISTS (SELECT 1 FROM conversations_acknowledgement)
        """
    )
    return Others(*rows[0])


def take_acknowledgements() -> list[Acknowledgement]:
    """Claimed by deletion: at most once."""
    rows = list(Acknowledgement.objects.order_by("id")[:50])
    Acknowledgement.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return rows


def anything_held() -> bool:
    """Whether any sender holds anything: what a quiet one asks each second before it looks for the dead among them."""
    rows = hot.run(
        """
        SELECT EXISTS (SELECT 1 FROM conversations_outbox WHERE claimed_by IS NOT NULL)
            OR EXISTS (SELECT 1 FROM conversations_call WHERE claimed_by IS NOT NULL)
            OR EXISTS (SELECT 1 FROM conversations_attachment WHERE claimed_by IS NOT NULL AND state = 'pending')
        """
    )
    return bool(rows[0][0])
