"""The event log in the admin, subscriptions to it, and the parts from which the pages of the other apps are made."""

from apps.events.admin.deliveries import DeliveryAdmin
from apps.events.admin.events import EventAdmin
from apps.events.admin.hosts import HeldHostAdmin
from apps.events.admin.subscriptions import SubscriptionAdmin

__all__ = ["DeliveryAdmin", "EventAdmin", "HeldHostAdmin", "SubscriptionAdmin"]
