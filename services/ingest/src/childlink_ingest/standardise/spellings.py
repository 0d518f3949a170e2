"""Families of spellings of one name: transliterations, and contractions that registers use. Data.

The first spelling of a family represents the family. The list is short on purpose: names that exist
side by side (for example Anna and Hanna) are different names, and joining them would cost more
matches than it finds. Sources: variants that English birth registrations list under one name (ONS
baby names, ranks of spellings), and the transliteration tables of Arabic, Bengali, Punjabi, Somali
and Ukrainian names (BGN/PCGN). In all other words "ph" becomes "f", so Sophia and Sofia are one
name.
"""

from typing import Final

_FAMILIES: Final = """
muhammad mohammed mohammad mohamed mohamad muhammed mohamud mohamoud muhamed mahamed maxamed mohd md
ahmed ahmad ahmet axmed
abdul abdel abdal abdoul
abdullah abdallah abdulla abdalla
abdirahman abdurahman abdulrahman abdurrahman abdelrahman abdirahmaan
ali aly
hussein hussain husain hossain hossein hussayn xuseen
hassan hasan hassen xasan
yusuf yousuf yousef youssef yusef yousaf yusaf yuusuf
ibrahim ebrahim ibraheem ibrahima
ismail ismaeel ismael esmail
yahya yahia yahiya
khalid khaled
omar umar omer
osman usman uthman othman cusmaan
hamza hamzah
zakariya zakaria zakariyya zakariye
mustafa mustapha moustafa
fatima fatimah fatma fatema fathima faduma fadumo
aisha ayesha aysha aicha aishah aaisha caasha
amina aminah ameena aamina
maryam mariam mariyam meryem maryan
khadija khadijah kadija khadeeja khadiijo
zainab zaynab zeinab zeynab zaineb
safiya safia safiyah safiyya
hafsa hafsah xafsa
zahra zara zahraa
halima haleema halimah
begum begom
rahman rehman rahmaan
chowdhury choudhury chaudhury chaudhry chaudhary choudhary chaudhari choudhry chowdhry
sheikh shaikh shaykh sheik
miah mia miya
uddin udin
akhtar akter akhter aktar
khatun khatoon
iqbal eqbal
siddique siddiqui siddiqi siddiquee siddiq
qureshi quraishi qureishi
malik malek
syed sayed sayyid saeed
singh sing
kaur kour
oleksandr aleksandr alexandr
olena elena yelena
oksana oxana
dmytro dmitri dmitry dmitriy
serhii sergey sergei serhiy sergiy
yuliia yulia julia iuliia
mykola nikolai nikolay
kateryna katerina ekaterina
nguyen nguyn
catherine katherine kathryn katharine
isabella izabella isabela
isabel isobel isabelle
sara sarah
stefen steven stephen
nicholas nikolas nicolas
jacob jakob
lucas lukas
victoria viktoria
oscar oskar
erik eric
marc mark
lily lilly
zoe zoey
chloe khloe cloe
aaron arron
filip phillip philip fillip
teresa theresa
clare claire
rachel rachael
rebecca rebekah
matthew mathew
megan meghan
sean shaun shawn
caitlin kaitlin katelyn
"""

CANONICAL: Final[dict[str, str]] = {
    spelling: first
    for first, *others in (line.split() for line in _FAMILIES.split("\n") if line)
    for spelling in others
}
"""The first spelling of the family, by spelling."""

# Words before a surname that registers may omit.
PARTICLES: Final = frozenset(
    (
        "al",
        "el",
        "ul",
        "bin",
        "ben",
        "bint",
        "ibn",
        "ap",
        "ab",
        "de",
        "da",
        "di",
        "do",
        "dos",
        "du",
        "del",
        "della",
        "van",
        "von",
        "der",
        "den",
        "ter",
        "la",
        "le",
        "st",
    )
)
# Prefixes that registers write either apart or joined.
JOINED: Final = {"o": "o", "mc": "mc", "mac": "mc", "fitz": "fitz"}
