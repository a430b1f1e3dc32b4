"""Models for tests; what lies outside Django's own tables is taken away after each."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from apps.customdata import designing, structure
from apps.customdata.designing import FieldSpec
from apps.customdata.models import Table
from apps.customdata.noting import Actor

BY = Actor("system", "tests")
CHOICES = {"choices": [{"value": "new", "label": "New"}, {"value": "done", "label": "Done"}]}


@pytest.fixture(autouse=True)
def _no_tables_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test with real commits leaves its tables in the schema `records`, which Django does not empty."""
    structure.forget()
    yield
    if "transactional_db" in request.fixturenames:
        with connection.cursor() as cursor:
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'records'")
            for (name,) in cursor.fetchall():
                cursor.execute(f'DROP TABLE records."{name}" CASCADE')


def make_table(*fields: FieldSpec, **more: Any) -> Table:
    return designing.create_table(**{"name": "Complaints", "fields": fields, **more})


@pytest.fixture
def complaints(db: None) -> Table:
    return make_table(
        FieldSpec("Number", "number", unique=True),
        FieldSpec("Subject", "text", required=True, indexed=True, in_search=True),
        FieldSpec("Status", "choice", options=CHOICES, default="new"),
        FieldSpec("Amount", "number", options={"decimals": 2}),
        FieldSpec("Due", "date"),
        FieldSpec("Seen", "datetime"),
        FieldSpec("Urgent", "boolean"),
        FieldSpec("Tags", "choices", options=CHOICES),
        FieldSpec("Data", "json"),
        FieldSpec("Phone", "phone", personal=True),
        FieldSpec("Story", "long_text"),
    )
