"""Addresses: pages of people (admin, panel), machine-facing HTTP (gateway), health."""

from django.contrib import admin
from django.urls import include, path

handler400 = "apps.gateway.faults.bad_request"
handler404 = "apps.gateway.faults.not_found"
handler500 = "apps.gateway.faults.server_error"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("apps.core.urls")),
    path("", include("apps.gateway.urls")),
    path("", include("apps.panel.urls")),
]
