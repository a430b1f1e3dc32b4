"""Addresses of the builder's API."""

from django.urls import path

from apps.scenarios.builder.views import DraftView, LintView, MetadataView, PresenceView

app_name = "builder"
urlpatterns = [
    path("<int:pk>/builder", MetadataView.as_view(), name="metadata"),
    path("<int:pk>/draft", DraftView.as_view(), name="draft"),
    path("<int:pk>/lint", LintView.as_view(), name="lint"),
    path("<int:pk>/presence", PresenceView.as_view(), name="presence"),
]
