"""Addresses: pages of people (admin, panel), machine-facing HTTP (gateway), health."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("apps.core.urls")),
    path("", include("apps.gateway.urls")),
    path("", include("apps.panel.urls")),
]
