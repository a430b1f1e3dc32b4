"""Outgoing webhooks: who subscribes to which events, what is owed to whom, and how it leaves (`docs/webhooks.md`).

The log → `bus.pump` → `deliveries.Webhooks.take` → rows of `Delivery` → `pushing.Pusher`: claim, send, settle.
"""
