"""How often a long-lived process looks for garbage."""

import gc

# Objects made and not yet freed until the youngest are looked through, and how many such looks until the older ones are: a batch makes tens of
# thousands, all of which are freed without any look. With the library's 700 it took 6 % of a busy process's time.
THRESHOLDS = (10_000, 20, 20)


def settle() -> None:
    """To be called when everything is loaded: it stays for ever, so that no look needs to go through it. (A look in a forked process would also
    write to each object's page, and so copy it.)
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
