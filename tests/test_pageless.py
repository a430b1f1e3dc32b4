"""Processes without pages load the administration when an address of it is needed, and then all of it."""

import subprocess
import sys

PROGRAM = """
import sys
sys.argv = ["/somewhere/celery/__main__.py", "worker"]
import django
django.setup()
from django.contrib import admin
from django.urls import reverse
before = len(admin.site._registry)
print(before, reverse("admin:identity_person_change", args=[1]), len(admin.site._registry) > 20)
"""


def test_the_administration_is_loaded_with_its_first_address() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["0", "/admin/identity/person/1/change/", "True"]
