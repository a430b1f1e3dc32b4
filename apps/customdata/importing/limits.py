"""What a file may hold, and how it is refused. Everything here is checked before memory or disk is spent on it."""

MAX_COLUMNS = 1_000
MAX_CELL = 1_000_000  # characters
MAX_ROW = 4_000_000  # characters of one row with all its lines
MAX_BROKEN_QUOTES = 100
MAX_UNPACKED = 2_000_000_000  # bytes of a workbook's parts together
MAX_RATIO = 200  # a workbook's part unpacked to packed; sheets of repeated numbers reach 30
MAX_PARTS = 10_000
MAX_FILE = 1_000_000_000  # bytes as uploaded


class FileError(Exception):
    """The file cannot be read as a table; the text says why and what to do."""
