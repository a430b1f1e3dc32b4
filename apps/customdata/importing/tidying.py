"""What is left of old imports: files, lists of mistakes and staging tables go; the row that says who loaded what stays."""

from datetime import timedelta

from django.db import connection
from django.utils import timezone
from psycopg import sql

from apps.customdata.importing import staging
from apps.customdata.importing.models import ImportJob, ImportProblem

FILE_DAYS = 7
PROBLEM_DAYS = 30
DRAFT_DAYS = 2


def tidy() -> None:
    now = timezone.now()
    forgotten = ImportJob.objects.filter(
        state__in=(ImportJob.State.DRAFT, ImportJob.State.CHECKED), created_at__lt=now - timedelta(days=DRAFT_DAYS)
    )
    forgotten.update(state=ImportJob.State.CANCELLED, finished_at=now)
    for job in ImportJob.objects.exclude(file="").filter(finished_at__lt=now - timedelta(days=FILE_DAYS)):
        job.file.delete(save=True)
    ImportProblem.objects.filter(job__finished_at__lt=now - timedelta(days=PROBLEM_DAYS)).delete()
    _drop_left_over()


def _drop_left_over() -> None:
    """Staging tables of loads that are at their end or deleted."""
    alive = {f"s_{pk}" for pk in ImportJob.objects.filter(finished_at=None).values_list("pk", flat=True)}
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [staging.SCHEMA])
        for (name,) in cursor.fetchall():
            if name not in alive:
                cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(staging.SCHEMA, name)))
