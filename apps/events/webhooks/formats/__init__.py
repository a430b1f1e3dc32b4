"""One file a format; see `apps.events.webhooks.formats_registry.Format`."""
