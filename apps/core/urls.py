"""Health of the installation."""

from django.urls import path

from apps.core import health_views

app_name = "core"
urlpatterns = [
    path("health/", health_views.health, name="health"),
    path("health/live", health_views.live, name="live"),
]
