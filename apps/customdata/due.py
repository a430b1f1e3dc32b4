"""Questions to the database whether there is anything to sweep (`apps.core.looking`)."""

WORK = """
    EXISTS (SELECT 1 FROM customdata_fieldchange WHERE state IN ('checking', 'running'))
    OR EXISTS (SELECT 1 FROM customdata_field WHERE index_state IN ('wanted', 'building'))
"""

IMPORTS = "EXISTS (SELECT 1 FROM imports_importjob WHERE state IN ('staging', 'checking', 'loading'))"
