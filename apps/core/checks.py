def register_all() -> None:
    """Replaced below."""
