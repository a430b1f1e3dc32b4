"""Addresses of the baseline."""

from django.urls import path

from bench.baselines.shop.views import OrderView, webhook

urlpatterns = [path("order", OrderView.as_view()), path("webhook", webhook)]
