"""Who holds a claimed row of the queue of record: see `apps.core.claimants`."""

from apps.core.claimants import LIVING, LOCK_CLASS, NOBODY, abandon, count, end_silent, enter, free, keep

__all__ = ["LIVING", "LOCK_CLASS", "NOBODY", "abandon", "count", "end_silent", "enter", "free", "keep"]
