"""Whether what a person wrote is the word of a trigger: how exactly, or why not. Pure; the words are compared as people read them."""

import re

from apps.scenarios.engine.reading import normal

SHORT, LONG = 4, 8  # shorter words forgive nothing, longer ones two slips
AT_THE_END = " .,!?…"
ADDRESSED = re.compile(r"(?:(?P<command>/\w+)@(?P<of>\w+)(?=\s|$)|@(?P<named>\w+)[,:]?\s+(?=\S))")
Rank = tuple[int, int]  # the smaller the more exact


def heard(text: str, *, username: str = "") -> str:
    """The words as they are compared: one case, one kind of space, no full stop or exclamation mark at the end. In groups people address bots as
    `/menu@shop_bot` or `@shop_bot menu`: the name is left out; what is meant for a bot of another name is nothing ("").
    """
    found = ADDRESSED.match(text.lstrip())
    name = (found["of"] or found["named"]) if found else ""
    if found and username and name.casefold() == username.casefold():
        text = (found["command"] or "") + text.lstrip()[found.end() :]
    elif found and found["of"]:
        if username:
            return ""
        text = found["command"] + text.lstrip()[found.end() :]
    said = normal(text)
    return said.rstrip(AT_THE_END) or said


def rank(match: str, *, word: str, said: str) -> Rank | None:
    """None when it does not fit; the whole text goes before its beginning, that before a part of it, that before a slip of the fingers."""
    if said == word:
        return 0, 0
    if match == "prefix" and said.startswith(word):
        return 1, -len(word)
    if match == "contains" and word in said:
        return 2, -len(word)
    if match == "fuzzy" and is_slip(word, said):
        return 3, distance(word, said)
    return None


def speaks(language: str, wanted: str) -> bool:
    """Whether a trigger for `wanted` ("": for all) is for somebody of this language; `ru-RU` is Russian."""
    own, asked = language.casefold().replace("_", "-"), wanted.casefold().replace("_", "-")
    return not asked or own == asked or own.split("-", maxsplit=1)[0] == asked


def is_slip(word: str, said: str) -> bool:
    """Whether somebody meant `word`: one wrong, missing, doubled or swapped letter, two in words of eight letters and more."""
    allowed = 0 if len(word) < SHORT else 1 if len(word) < LONG else 2
    if not allowed or abs(len(word) - len(said)) > allowed:
        return False
    return distance(word, said) <= allowed


def distance(first: str, second: str) -> int:
    """Letters to change, add, drop or swap with their neighbour (the restricted Damerau-Levenshtein distance)."""
    before: list[int] = []
    row = list(range(len(second) + 1))
    for place, letter in enumerate(first, 1):
        earlier, before, row = before, row, [place]
        for column, other in enumerate(second, 1):
            cost = min(before[column] + 1, row[column - 1] + 1, before[column - 1] + (letter != other))
            if place > 1 and column > 1 and letter == second[column - 2] and first[place - 2] == other:
                cost = min(cost, earlier[column - 2] + 1)
            row.append(cost)
    return row[-1]
