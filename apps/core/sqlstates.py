"""PostgreSQL's error codes that the product tells apart (PostgreSQL manual, appendix A)."""

DEADLOCK = "40P01"
DISK_FULL = "53100"
LOCK_NOT_AVAILABLE = "55P03"
QUERY_CANCELED = "57014"  # for its time, too


def sqlstate(error: Exception) -> str:
    """The code that the server gave; empty when it gave none, as when the connection was lost."""
    return getattr(error.__cause__, "sqlstate", None) or ""
