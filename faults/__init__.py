"""The fault matrix: real processes are killed, frozen, cut off and starved while a driver writes to them; then three ledgers (what was posted,
what the messenger got, what the CRM did) are compared with the database. `make faults` runs all of it, docs/promise.md keeps its last record.

    ground      the servers, the processes, the emulators; restarts what died
    driver      people who write and systems that call, each until a 2xx, some of it twice
    audit       compares the ledgers with the database: nothing lost, one effect, copies within the bound, order, no overlap
    cases       one function for each fault, with its invariant and its bound
"""
