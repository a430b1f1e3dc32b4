"""A subscription's way from new to active: the challenge, and a new secret beside the old one."""

from datetime import timedelta

from django.utils import timezone

from apps.core.standard_webhooks import new_secret
from apps.events.models import Subscription
from apps.events.webhooks import deliveries, posting

OVERLAP = timedelta(hours=24)


def confirm(row: Subscription) -> str:
    """Send the challenge; active when it is answered. "" or what went wrong, which stays on the row."""
    why = posting.challenge(row)
    if why:
        Subscription.objects.filter(pk=row.pk).update(state_text=why[:500])
        row.state_text = why[:500]
    else:
        deliveries.set_state(row, Subscription.State.ACTIVE)
    return why


def rotate(row: Subscription) -> str:
    """The new secret. The former one is signed with as well for a day, so that a receiver can change over without losing an event."""
    row.old_secret, row.old_secret_until, row.secret = row.secret, timezone.now() + OVERLAP, new_secret()
    vars(row)["_change_reason"] = "the secret was rotated"  # where simple-history looks for it
    row.save(update_fields=["secret", "old_secret", "old_secret_until"])
    deliveries.forget()
    return str(row.secret)
