"""Normalises identity values before they are encoded. Pure functions; "" means missing.

The doctest of each rule shows examples. A placeholder, a failed check digit or a pseudo postcode is
*missing*: it sets no bits, so it neither agrees nor disagrees.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Final

import jellyfish
from anyascii import anyascii

from childlink_ingest.standardise.spellings import CANONICAL, JOINED, PARTICLES

# Placeholders for a newborn without a given name. (DfE SUI_Matcher reports that this rule adds
# percentage points to the match rate.)
PLACEHOLDER_NAMES: Final = frozenset(
    [
        "baby",
        "babe",
        "infant",
        "newborn",
        "unknown",
        "unnamed",
        "unborn",
        "male",
        "female",
        "boy",
        "girl",
        "twin",
        "triplet",
        "one",
        "two",
        "three",
        "first",
        "second",
        "third",
        "of",
        "na",
        "none",
        "notknown",
        "test",
        "a",
        "b",
        "c",
        "i",
        "ii",
        "iii",
        "duplicate",
        "dummy",
        "training",
        "xxtest",
        "testpatient",
        "deleted",
    ]
)
_BIRTH_ORDER: Final = re.compile(
    r"\b(?:twin|triplet|baby|infant)\W*(?:(?P<number>[1-4])|(?P<letter>[a-d])\b|(?P<word>one|two|three|first|second|third))",
    re.IGNORECASE,
)
_ORDER_OF_WORD: Final = {"one": 1, "two": 2, "three": 3, "first": 1, "second": 2, "third": 3}
_SEXES: Final = {
    "f": "f",
    "female": "f",
    "2": "f",
    "girl": "f",
    "w": "f",
    "fille": "f",
    "féminin": "f",
    "weiblich": "f",
    "benyw": "f",
    "mujer": "f",
    "garçon": "m",
    "masculin": "m",
    "h": "m",
    "männlich": "m",
    "gwryw": "m",
    "m": "m",
    "male": "m",
    "1": "m",
    "boy": "m",
}
_TRACED: Final = frozenset(
    {"", "01", "1", "number present and verified", "present and verified", "verified", "traced"}
)
_UNTRACED: Final = frozenset(
    {code for number in range(2, 9) for code in (f"0{number}", str(number))}
    | {
        "number present but not traced",
        "present but not traced",
        "present not traced",
        "trace required",
        "trace attempted no match or multiple match found",
        "trace needs to be resolved nhs number or patient detail conflict",
        "trace in progress",
        "number not present and trace not required",
        "trace postponed baby under six weeks old",
        "not traced",
        "untraced",
        "unverified",
        "not verified",
    }
)
_TITLES: Final = frozenset(["mr", "mrs", "miss", "ms", "master", "mstr", "dr", "prof"])
_SUFFIXES: Final = frozenset(["jr", "jnr", "snr", "sr", "ii", "iii"])
_ASIDE: Final = re.compile(r"\(([^)]*)\)|[\"“]([^\"”]*)[\"”]")
_FORMERLY: Final = re.compile(r"\b(?:n[eé]e|formerly|previously|aka|a\.k\.a\.)\b.*", re.IGNORECASE)
_DIGITS_BY_LETTER: Final = {"O": "0", "I": "1", "L": "1"}
_UNKNOWN_SEXES: Final = frozenset(
    [
        *("u", "unk", "unknown", "notknown", "nk", "0", "9", "notspecified", "notstated", "na"),
        *("x", "i", "n", "indeterminate", "other", "nonbinary", "prefernottosay", "trans"),
        "transgender",
    ]
)
_DEFAULT_DATES: Final = frozenset(
    date(*day)
    for day in (
        (1, 1, 1),
        (1753, 1, 1),
        (1800, 1, 1),
        (1899, 12, 30),
        (1899, 12, 31),
        (1900, 1, 1),
        (1901, 1, 1),
        (9999, 12, 31),
    )
)
# ONS pseudo postcodes: no fixed abode, unknown, abroad, and similar.
_PSEUDO_OUTWARD: Final = frozenset({"ZZ99", "ZZ9", "XX99", "NF1", "ZZ98"})
_POSTCODE: Final = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?)([0-9][A-Z]{2})")
_LATIN: Final = str.maketrans(
    {"ß": "ss", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "œ": "oe"}
)


@lru_cache(maxsize=100_000)
def name_words(text: str) -> tuple[str, ...]:
    """The words of a name, in plain lower-case letters.

    Diacritics and apostrophes are removed, and hyphens separate words. Other scripts are written in
    Latin letters. Spellings of the same name (`spellings`) become one spelling.

    >>> name_words("  O'Brien-Smith ")
    ('obrien', 'smith')
    >>> name_words("José MARÍA")
    ('jose', 'maria')
    >>> name_words("Ołówek"), name_words("Mohammed"), name_words("Chaudhry")
    (('olowek',), ('muhammad',), ('chowdhury',))
    >>> name_words("O Brien"), name_words("Mac Donald"), name_words("van der Berg")
    (('obrien',), ('mcdonald',), ('van', 'der', 'berg'))
    >>> name_words("Олена") == name_words("Olena"), name_words("नेहा"), name_words("Γιώργος")
    (True, ('neha',), ('giorgos',))
    """
    plain = unicodedata.normalize("NFKD", _in_latin(text.lower()).lower().translate(_LATIN))
    kept = "".join(c for c in plain if not unicodedata.combining(c)).lower()
    closed = re.sub(r"['’‘`´ʼ.]", "", kept)
    return tuple(_spelled(re.findall(r"[^\W\d_]+", closed)))


def _in_latin(text: str) -> str:
    """The text, with letters of other scripts written in Latin ones (`anyascii`). Before accents
    are removed: in many scripts they are letters.
    """
    composed = unicodedata.normalize("NFKC", text)
    return anyascii(composed) if any(map(_is_of_another_script, composed)) else composed


def _is_of_another_script(character: str) -> bool:
    """Whether a letter is not Latin. Greek begins at U+0370; U+1E00 to U+1EFF are Latin again."""
    return character >= "\u0370" and not "\u1e00" <= character < "\u1f00" and character.isalpha()


def _spelled(words: list[str]) -> Iterator[str]:
    """Replace each word with the first spelling of its family, and "ph" with "f".

    A separate prefix is joined to its word.
    """
    prefix = ""
    for at, word in enumerate(words):
        if not prefix and word in JOINED and at + 1 < len(words):
            prefix = JOINED[word]
        else:
            yield prefix + CANONICAL.get(word, word.replace("ph", "f"))
            prefix = ""


@lru_cache(maxsize=100_000)
def phonetic(name: str) -> str:
    """Soundex (US National Archives) of the first word of a normalised name that is not a particle.

    "" if the name is missing.

    >>> phonetic("al hassan"), phonetic("hassan"), phonetic("de"), phonetic("")
    ('H250', 'H250', 'D000', '')
    """
    words = name.split()
    if not words:
        return ""
    return jellyfish.soundex(next((word for word in words if word not in PARTICLES), words[0]))


@lru_cache(maxsize=100_000)
def given_name(text: str) -> str:
    """Given names without titles and placeholders, joined by a space.

    >>> given_name("BABY GIRL"), given_name("Twin 1"), given_name("Infant of Amina")
    ('', '', '')
    >>> given_name("Anne-Marie"), given_name("Master Yusuf"), given_name("Anna (Annie)")
    ('anne marie', 'yusuf', 'anna')

    Test patients have no name:

    >>> given_name("ZZTEST"), given_name("**DO NOT USE**"), given_name("Duplicate")
    ('', '', '')
    """
    words = name_words(_ASIDE.sub(" ", text))
    if len(words) > 1 and words[0] in _TITLES:
        words = words[1:]
    if not words or words[0] in PLACEHOLDER_NAMES or _is_of_a_test(words):
        return ""
    return " ".join(words)


@lru_cache(maxsize=100_000)
def name_aside(text: str) -> str:
    """The name that stands in brackets or quotes beside a given name: the name that is used.

    >>> name_aside("Anna (Annie)"), name_aside('Robert "Bob" James'), name_aside("Anna")
    ('annie', 'bob', '')
    """
    found = _ASIDE.search(text)
    return given_name(next(filter(None, found.groups()), "")) if found else ""


def _is_of_a_test(words: tuple[str, ...]) -> bool:
    return words[0].startswith("zz") or words[:3] == ("do", "not", "use")


@lru_cache(maxsize=100_000)
def surname(text: str) -> str:
    """Surname, with its words joined by a space; "" for a placeholder.

    >>> surname("Adébáyò-Jones"), surname("UNKNOWN"), surname("ZZTEST")
    ('adebayo jones', '', '')

    A former name and a suffix are left out:

    >>> surname("Jones (née Smith)"), surname("Jones nee Smith"), surname("King Jnr")
    ('jones', 'jones', 'king')
    """
    words = name_words(_FORMERLY.sub("", _ASIDE.sub(" ", text)))
    if len(words) > 1 and words[-1] in _SUFFIXES:
        words = words[:-1]
    if not words or all(word in PLACEHOLDER_NAMES for word in words) or _is_of_a_test(words):
        return ""
    return " ".join(words)


@lru_cache(maxsize=100_000)
def birth_order(text: str) -> int | None:
    """Order of birth, from a number or a placeholder given name. Call it before placeholders are
    removed.

    >>> birth_order("TWIN 2"), birth_order("Triplet C"), birth_order("Baby one")
    (2, 3, 1)
    >>> birth_order("2"), birth_order("Amina")
    (2, None)
    """
    stripped = text.strip()
    if stripped in ("1", "2", "3", "4"):
        return int(stripped)
    match = _BIRTH_ORDER.search(text)
    if match is None:
        return None
    if match["number"]:
        return int(match["number"])
    if match["letter"]:
        return "abcd".index(match["letter"].lower()) + 1
    return _ORDER_OF_WORD[match["word"].lower()]


def nhs_number(text: str) -> str:
    """The ten digits of an NHS number with a valid modulus 11 check (NHS Data Dictionary), else "".

    >>> nhs_number("943 476 5919"), nhs_number("9434765918"), nhs_number("0000000000")
    ('9434765919', '', '')

    What spreadsheets and other systems write around a number is taken off:

    >>> wrapped = ("9434765919.0", "'9434765919", '="9434765919"', "943\u2011476 5919")
    >>> {nhs_number(text) for text in wrapped}
    {'9434765919'}
    """
    digits = text if len(text) == 10 else _bare_number(text)
    if len(digits) != 10 or not digits.isascii() or not digits.isdigit() or len(set(digits)) == 1:
        return ""
    d = digits.encode()
    # The tenth digit is the check digit, with weight 1, so a valid sum is a multiple of 11. The
    # code points of the digits add 48 times the sum of the weights (55), which is a multiple of 11,
    # too.
    total = (
        10 * d[0]
        + 9 * d[1]
        + 8 * d[2]
        + 7 * d[3]
        + 6 * d[4]
        + 5 * d[5]
        + 4 * d[6]
        + 3 * d[7]
        + 2 * d[8]
        + d[9]
    )
    return digits if total % 11 == 0 else ""


def is_untraced(status: str) -> bool | None:
    """Whether a source says that it has not traced an NHS number. None: the status is unknown.

    Codes of the NHS Data Dictionary, NHS NUMBER STATUS INDICATOR CODE: 01 is verified, all others
    are not (07: no number, and none is needed). An empty status says nothing.

    >>> is_untraced("01"), is_untraced("2"), is_untraced("Number present but not traced")
    (False, True, True)
    >>> is_untraced(""), is_untraced("perhaps")
    (False, None)
    """
    plain = " ".join(re.findall(r"[a-z0-9]+", status.lower()))
    if plain in _TRACED:
        return False
    return True if plain in _UNTRACED else None


def _bare_number(text: str) -> str:
    """The digits of a number that a spreadsheet, a formula or a form has wrapped or spaced."""
    bare = re.sub(r"[\s\u200b-\u200d\u2060\ufeff\u2010-\u2015\u2212'’\"=-]", "", text)
    return bare.removesuffix(".0")


@lru_cache(maxsize=100_000)
def postcode(text: str) -> str:
    """A postcode without a space; "" if it is not a postcode, or is a pseudo postcode.

    >>> postcode("sw9 8jj"), postcode("ZZ99 3VZ"), postcode("SW9")
    ('SW98JJ', '', '')

    Other characters are left out. A letter where only a digit can stand is taken for that digit:

    >>> postcode("SE5-8AF."), postcode("SE5\u200b8AF"), postcode("SW9 OJJ"), postcode("SW9 IJJ")
    ('SE58AF', 'SE58AF', 'SW90JJ', 'SW91JJ')
    """
    compact = re.sub(r"[\W_]", "", text).upper()
    if len(compact) > 4 and compact[-3] in _DIGITS_BY_LETTER:
        compact = compact[:-3] + _DIGITS_BY_LETTER[compact[-3]] + compact[-2:]
    match = _POSTCODE.fullmatch(compact)
    if match is None or match[1] in _PSEUDO_OUTWARD:
        return ""
    return compact


def sex(text: str) -> str:
    """ "f", "m" or "" from the codings that NHS and education extracts use.

    >>> [sex(t) for t in ("Female", "2", "M", "1", "not known", "9")]
    ['f', 'f', 'm', 'm', '', '']
    """
    return _SEXES.get(text.lower(), "") if text else ""


def is_unknown_sex(text: str) -> bool:
    """Whether a text says that the sex is not known, not specified or neither.

    >>> is_unknown_sex("Not Specified"), is_unknown_sex("9"), is_unknown_sex("Widow")
    (True, True, False)
    """
    return re.sub(r"[^a-z0-9]", "", text.lower()) in _UNKNOWN_SEXES


def is_default_date(day: date) -> bool:
    """Whether a system writes this date where it knows none: the first and last days that
    databases, spreadsheets and clocks can hold.

    >>> is_default_date(date(1900, 1, 1)), is_default_date(date(1990, 1, 1))
    (True, False)
    """
    return day in _DEFAULT_DATES


def birth_date_problem(born: date, today: date, first_year: int = 1900) -> str | None:
    """Why a date of birth is impossible, or None.

    >>> birth_date_problem(date(2030, 1, 1), date(2026, 1, 1))
    'is in the future'
    >>> birth_date_problem(date(202, 1, 1), date(2026, 1, 1))
    'is before 1900'
    """
    if born > today:
        return "is in the future"
    if born.year < first_year:
        return f"is before {first_year}"
    return None
