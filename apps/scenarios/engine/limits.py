"""The engine's limits in one place; each is told to authors in the words of the failure that it causes."""

NODES_PER_STEP = 250
NODES_PER_SESSION = 20_000
MESSAGES_PER_STEP = 50
SECTION_DEPTH = 20
QUESTIONS_BACK = 10
VARIABLES_BYTES = 64 * 1024
CUSTOMER_TEXT_CHARS = 4_096
JSON_DEPTH = 32

TEMPLATE_CHARS = 16_384
RENDERED_BYTES = 128 * 1024
FILTER_CHARS = 64 * 1024
FILTER_ITEMS = 5_000
RANGE_ITEMS = 5_000
LOOP_ITERATIONS = 5_000
NAMESPACE_BYTES = 256 * 1024
# One unit is about one character handled; a whole render may spend so much, whatever it consists of.
RENDER_WORK = 3_000_000
COMPILED_TEMPLATES = 4_096

PATTERN_CHARS = 500
LONGEST_WAIT_DAYS = 366
