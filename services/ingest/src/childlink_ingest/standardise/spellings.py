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

# Families of nicknames. Each line holds names that one person may use for each other. Unlike
# spellings, they stay different names: a family is one thing more to compare. Source: everyday
# use. No published list was copied or consulted.
_NICKNAMES: Final = """
alexander alexandra alex alec alexia sandy sasha xander lexi lexie aleksander aleksandra ola olek
albert albie bertie bert
alfred alfie alf fred freddie freddy frederick frederic frederica wilfred
alison ali allie
amelia millie milly emilia emily emmy em emilie
andrew andy drew andrea andreas andrei andrzej
anna annie anya ania anne ann hannah nan hania
anthony antony tony anton antonio antoni antek toni antonia
archibald archie
arthur artie art artur
barbara babs basia barbie
benjamin ben benny benji bennie benedict
bronislaw bronek
catherine cathy kathy kate katie kitty kat cat kathleen katya kasia katarzyna kathe kateryna kay
charles charlie charley chas chuck charlotte lottie lotte charlene
christopher chris kit topher krzysztof krzys
christian christine christina chrissie tina kristina kristin krystyna
daniel dan danny danielle dani danni daniela danuta
david dave davey davie dai dafydd dewi
deborah debbie debra debs
dominic dom dominik nick
dorothy dot dottie dora dorota dorotea
edward eddie ed ned ted teddy edmund edwin edgar eduardo
eleanor ellie ella nell nellie elena eleanora nora norah ellen helen lena
elizabeth lizzie liz beth betty eliza elsie libby lisa elisabeth ela elzbieta liza betsy bess
evangeline evie eva eve ewa evelyn
francesca frances fran frankie fanny francis frank franciszek
gabriel gabriella gabby gabe gabi
george georgie georgina georgia jerzy jorge
grace gracie
gregory greg grzegorz
harold harry hal henry harrison hank harriet hattie henryk
imogen immy
isabella isabel bella izzy issy belle ella izabela iza
jacob jake jakub kuba
james jim jimmy jamie jem jaime
jane janet janie
joanna joanne joan joasia asia jo
jennifer jenny jen jenna
jessica jess jessie
john johnny jack jon jonathan jonny johnathan ian sean evan ivan jan juan joao
joseph joe joey josef jozef jose josephine josie jo posy
joshua josh
judith judy jude
julia julie juliet jules julian
kenneth ken kenny
laurence lawrence larry laurie loz
leonard leo len lenny leon leonardo
louis lewis lou louie louisa louise
lucy lucia lu lucinda lucja
magdalena magda maggie madeleine maddie maddy madison madeline
malgorzata gosia margaret maggie meg peggy greta margot daisy rita megan peg marge margarita
maria mary marie mia molly polly maryam miriam mae may mimi marysia maja
martha marty
martin marty marcin
mateusz mateo matthew matt mattie matty
matilda tilly tilda mattie
maximilian max maxim maxwell maxine
michael mike mick mickey mikey michal mikolaj misha michelle shell miguel
mohammed mo muhammad
natalie nat nataly natasha tasha natalia natalka
nathan nathaniel nate nat
nicholas nick nicky nico nicola nicole nikki mikolaj klaus
oliver olly ollie oli olivia liv livvy
oluwaseun seun
oluwatobi tobi oluwatobiloba
oluwadamilola dami damilola
oluwatimilehin timi
oluwafemi femi
oluwakemi kemi
babatunde tunde
adebola bola
folasade sade
temitope temi tope
ayomide ayo
patrick paddy pat patricia trish tricia patsy rick
penelope penny
peter pete piotr piotrek pedro
philip phil pip
philippa pippa pip
rachel rach shelly
raymond ray
rebecca becky becca bex beckie
richard rick ricky dick richie rich ryszard
robert rob bob bobby robbie bobbie robin bert roberta
ronald ron ronnie veronica
rosemary rose rosie roseanna rosa roz rosalind
samuel sam sammy samantha samson samir samira
sarah sally sadie sal
sebastian seb bas
siobhan shiv
sophia sofia sofie zosia zofia
stanislaw stan stasiek stanley
stephen steve stevie stephanie steph stefan szczepan
susan sue suzie susie suzanne susanna zuzanna zuza
tadeusz tadek
theodore theo ted teddy dora theodora
thomas tom tommy tomasz tomek tomas
timothy tim timmy
tobias toby
victoria vicky vikki tori vic victor wiktoria
vincent vince vinny vinnie
william bill billy will willie willy liam wilhelm
yekaterina katya
zachary zach zac zak zack zachariah
"""


def _families(lines: str) -> dict[str, str]:
    """The family of each name. A name on two lines belongs to the first."""
    family_of: dict[str, str] = {}
    for names in (line.split() for line in lines.strip().split("\n")):
        for name in names:
            spelled = CANONICAL.get(name, name.replace("ph", "f"))
            family_of.setdefault(spelled, f"family of {names[0]}")
    return family_of


NICKNAMES: Final[dict[str, str]] = _families(_NICKNAMES)
"""The family of nicknames of each name that has one."""

# Given names that many men carry before their own. Brothers share them.
PREFIXES: Final = frozenset(("muhammad", "syed"))

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
