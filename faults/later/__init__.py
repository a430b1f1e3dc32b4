"""What a later release brings: an app with a migration of the tables that every message writes. See `release-under-load`."""
