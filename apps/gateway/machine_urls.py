"""The addresses that carry the load, in a list of their own: to find one among all addresses costs as much as a database statement."""

from django.urls import path

from apps.gateway.views import CallView
from apps.gateway.webhooks import WebhookView

urlpatterns = [
    path("bots/<str:bot_id>/call/<path:alias>", CallView.as_view(), name="call"),
    path("webhooks/<str:kind>/<str:public_id>", WebhookView.as_view(), name="webhook"),
]
