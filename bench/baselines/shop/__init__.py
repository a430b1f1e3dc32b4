"""A bare Django project: two views that do the work inline, or hand it to one Celery task per event. Two middlewares, no admin, no sessions."""
