"""Tables of files into records: sniffed, mapped, staged by COPY, checked in SQL cell by cell, loaded once whatever is killed."""
