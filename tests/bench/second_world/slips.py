"""Slips of the pen, the ear and the keyboard."""

import random
import re
import unicodedata
from datetime import date, timedelta
from typing import Final

_KEYS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_EAR: Final = (
    ("ph", "f"), ("ck", "k"), ("ee", "ea"), ("ie", "y"), ("ei", "ie"), ("ou", "oo"), ("th", "t"),
    ("sh", "ch"), ("oo", "u"), ("ai", "ay"), ("kh", "k"), ("gh", "g"), ("sz", "sh"), ("cz", "ch"),
    ("w", "v"), ("y", "i"), ("c", "k"), ("z", "s"), ("x", "ks"), ("q", "k"), ("j", "g"),
    ("ah", "a"), ("v", "b"), ("e", "i"), ("a", "e"), ("o", "u"),
)  # fmt: skip
_DOUBLED: Final = re.compile(r"([a-z])\1")


def plain(text: str) -> str:
    """A name without diacritics, as most keyboards write it."""
    text = text.replace("ł", "l").replace("Ł", "L").replace("ı", "i")
    parts = unicodedata.normalize("NFD", text)
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def _neighbour(letter: str, rng: random.Random) -> str:
    for row in _KEYS:
        place = row.find(letter.lower())
        if place >= 0:
            return rng.choice(row[max(0, place - 1) : place] + row[place + 1 : place + 2])
    return letter


def typing_slip(text: str, rng: random.Random) -> str:
    """One slip of the keyboard."""
    if len(text) < 2:
        return text
    place = rng.randrange(rng.random() >= 0.1, len(text))  # people look at the first letter
    before, letter, after = text[:place], text[place], text[place + 1 :]
    kind = rng.random()
    if kind < 0.28:
        return before + after
    if kind < 0.5 and after:
        swapped = before + after[0] + letter + after[1:]
        return swapped if place else swapped.title()
    if kind < 0.68:
        return before + letter + letter.lower() + after
    wrong = _neighbour(letter, rng)
    if kind < 0.78:
        return before + letter + wrong + after
    return before + (wrong.upper() if letter.isupper() else wrong) + after


def by_ear(text: str, rng: random.Random) -> str:
    """Another way to write the same sound."""
    lower = text.lower()
    choices = [lower.replace(old, new, 1) for old, new in _EAR if old in lower[1:]]
    if found := _DOUBLED.search(lower):
        choices.append(lower[: found.start()] + lower[found.start() + 1 :])
    if len(lower) > 3:
        place = rng.randrange(1, len(lower) - 1)
        if lower[place] in "lmnrst":
            choices.append(lower[:place] + lower[place] + lower[place:])
        choices.append(lower + "e" if lower[-1] not in "aeiouy" else lower[:-1])
    return rng.choice(choices).title() if choices else text


def wrong_date(day: date, rng: random.Random) -> date:
    """A wrong but valid date: parts transposed, one digit wrong, or a month or year beside."""
    for _ in range(20):
        kind = rng.random()
        year, month, number = day.year, day.month, day.day
        if kind < 0.33:
            month, number = number, month
        elif kind < 0.55:
            number += rng.choice((-10, 10, -1, 1, -2, 2, 7))
        elif kind < 0.72:
            month += rng.choice((-1, 1, -2, 2))
        elif kind < 0.9:
            year += rng.choice((-1, 1, -1, 1, -2, 10))
        else:
            text = str(number).zfill(2)
            number = int(text[::-1])
        try:
            wrong = date(year, month, number)
        except ValueError:
            continue
        if wrong != day and wrong < date(2025, 7, 31):
            return wrong
    return day - timedelta(1)


def postcode_slip(postcode: str, rng: random.Random) -> str:
    """A postcode with one character wrong, or two transposed."""
    place = rng.randrange(len(postcode))
    letter = postcode[place]
    if letter == " ":
        return postcode.replace(" ", "")
    if rng.random() < 0.2 and place:
        return postcode[: place - 1] + letter + postcode[place - 1] + postcode[place + 1 :]
    new = rng.choice("0123456789") if letter.isdigit() else _neighbour(letter, rng).upper()
    return postcode[:place] + new + postcode[place + 1 :]


def nhs_slip(number: str, rng: random.Random) -> str:
    """A number with one digit wrong, which its check digit always shows."""
    place = rng.randrange(3, 10)
    digit = rng.choice([d for d in "0123456789" if d != number[place]])
    return number[:place] + digit + number[place + 1 :]
