"""JavaScript of users, run in killable child processes (security.md 1). `running.run` is the way in.

`child`, `engine`, `engines`, `isolation`, `syscalls` and `wire` run inside the child: the standard library and the engine only.
"""
