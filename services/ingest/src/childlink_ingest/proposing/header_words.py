"""Words of headers: what people call the columns of an extract. No I/O."""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Final

ADULT_WORDS: Final = frozenset(
    [
        "mother",
        "mothers",
        "mum",
        "maternal",
        "mat",
        "parent",
        "carer",
        "adult",
        "guardian",
        "father",
        "your",
        "you",
        "contact",
        "mere",
        "mutter",
        "mam",
    ]
)
CHILD_WORDS: Final = frozenset(["child", "baby", "infant", "pupil", "newborn", "kid"])
PERSON_WORDS: Final = frozenset(
    [
        *("client", "patient", "person", "pupil", "student", "learner", "child", "baby", "infant"),
        *("user", "member", "participant", "attendee", "customer", "subject", "enfant", "kind"),
        *("mother", "carer", "parent", "adult", "father", "service", "mam", "mere"),
    ]
)
"""Words for a person. A header of nothing else, over codes, is a person's id."""
IDENTITY_WORDS: Final[Mapping[str, Sequence[str]]] = {
    "id": (
        "id",
        "identifier",
        "number",
        "no",
        "ref",
        "reference",
        "localid",
        "hospital",
        "local",
        "patient",
        "person",
        "upn",
        "uln",
        "mrn",
        "chi",
        "nhi",
        "matricule",
        "kvnr",
        "pas",
        "key",
    ),
    "nhs_number": ("nhs", "nhsno", "nhsnumber"),
    "given_name": (
        "given",
        "forename",
        "forenames",
        "first",
        "firstname",
        "fname",
        "christian",
        "givenname",
        "prenom",
        "vorname",
        "enw",
    ),
    "known_as": (
        "knownas",
        "preferredname",
        "preferredforename",
        "usuallycalled",
        "calling",
        "aka",
        "nickname",
        "alias",
    ),
    "surname": (
        *("surname", "last", "family", "lastname", "familyname", "lname"),
        *("nom", "nachname", "familienname", "apellido", "apellidos", "cyfenw"),
    ),
    "date_of_birth": (
        *("dob", "birth", "born", "birthdate", "dateofbirth", "birthday"),
        *("naissance", "geburtsdatum", "geboren", "nacimiento", "geni"),
    ),
    "sex": ("sex", "gender", "boy", "girl", "sexe", "geschlecht", "sexo", "rhyw"),
    "postcode": ("postcode", "pcode", "postal", "zip", "pc", "codpost"),
    "birth_order": ("order", "birthorder", "multiple", "rank"),
}
ROW_WORDS: Final = frozenset(
    [
        "row",
        "record",
        "review",
        "event",
        "visit",
        "contact",
        "session",
        "form",
        "appointment",
        "attendance",
        "encounter",
        "rec",
    ]
)
# Words of headers of numbers that are not about one person.
NOT_OF_A_PERSON: Final = frozenset(
    [
        *("street", "house", "flat", "phone", "telephone", "mobile", "team", "school", "urn"),
        *("batch", "dose", "sequence", "lot", "serial", "item", "code", "uri", "total", "count"),
        *("organisation", "organization", "org", "practice", "gp", "site", "ward", "venue"),
        *("provider", "commissioner", "estab", "establishment", "license", "drivers", "passport"),
        *("babies", "weeks", "age", "children", "attendances", "appointment", "referral"),
    ]
)
# Words of headers for the fields of contracts, beside those of the field's own name.
ALSO_CALLED: Final[Mapping[str, frozenset[str]]] = {
    "birth_date": frozenset({"delivery"}),
    "recorded_date": frozenset({"vaccination", "immunisation", "given", "administered", "event"}),
    "session_date": frozenset({"attended", "attendance", "contact", "visit"}),
    "review_date": frozenset({"contact", "assessment", "appointment"}),
    "assessed_date": frozenset({"assessment"}),
    "measured_date": frozenset({"measurement", "weighed", "screened"}),
    "gestation": frozenset({"gestational"}),
}
COMMON: Final = frozenset({"birth", "date", "name", "number", "status", "score", "total", "type"})
RELATIONS: Final = {
    "mother": "mother",
    "mum": "mother",
    "m": "mother",
    "father": "father",
    "dad": "father",
    "f": "father",
    "mam": "mother",
    "mama": "mother",
    "mummy": "mother",
    "daddy": "father",
    "carer": "carer",
    "guardian": "carer",
}


def words_of(text: str) -> frozenset[str]:
    """The words of a header. Also splits camelCase, and finds known words that are written as two.

    >>> sorted(words_of("ChildNHSNumber"))
    ['child', 'nhs', 'nhsnumber', 'number']
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    words = re.findall(r"[a-z]+|\d+", spaced.lower().replace("_", " "))
    pairs = ["".join(pair) for pair in itertools.pairwise(words)]
    known = {word for group in IDENTITY_WORDS.values() for word in group}
    return frozenset([*words, *(pair for pair in pairs if pair in known)])
