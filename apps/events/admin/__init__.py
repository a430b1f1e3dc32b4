"""The event log in the admin, and the parts from which the pages of the other apps are made."""

from apps.events.admin.events import EventAdmin

__all__ = ["EventAdmin"]
