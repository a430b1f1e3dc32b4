"""The admin of models (`tables`) and of their records (`records`, reached through `addresses`)."""

from apps.customdata.admin import tables

__all__ = ["tables"]
