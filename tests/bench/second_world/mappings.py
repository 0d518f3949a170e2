"""The mapping of each extract, without `dataset`, `opt_out_exempt` and `ignore`."""

from typing import Final

_CATEGORY_CODES: Final = """{ A = "white", B = "white", C = "white", G = "mixed", \
H = "asian", J = "asian", K = "asian", L = "asian", M = "black", N = "black", R = "asian", \
S = "other", Z = "" }"""
MATERNITY_MAPPING: Final = f"""
id_space = "hospital"
[columns]
row_id = "Birth ID"
child_id = "Baby Hosp No"
child_nhs_number = "Baby NHS No"
child_given_name = "Baby Forename"
child_surname = "Baby SURNAME"
child_date_of_birth = {{ column = "Baby DOB", format = "%d/%m/%Y" }}
child_sex = {{ column = "Baby Sex", codes = {{ 1 = "male", 2 = "female", 9 = "" }} }}
child_postcode = "Mother Postcode"
child_birth_order = "Birth Order"
adult_id = "Mother Hosp No"
adult_nhs_number = "Mother NHS No"
adult_given_name = {{ column = ["Mother Forename", "Mother Middle Name(s)"] }}
adult_surname = "Mother SURNAME"
adult_date_of_birth = {{ column = "Mother DOB", format = "%d/%m/%Y" }}
adult_postcode = "Mother Postcode"
birth_date = {{ column = "Delivery Date", format = "%d/%m/%Y" }}
birth_weight = "Birth Weight (g)"
gestation = "Gestation"
ethnicity = {{ column = "Ethnic Cat", codes = {_CATEGORY_CODES} }}
"""
_CHILD_COLUMNS: Final = """
child_id = "ClientID"
child_nhs_number = "NHSNumber"
child_given_name = { column = ["Forename", "MiddleNames"] }
child_known_as = "PreferredName"
child_surname = "Surname"
child_date_of_birth = { column = "DateOfBirth", format = "%Y-%m-%d" }
child_sex = { column = "Gender", codes = { F = "female", M = "male", X = "" } }
child_postcode = "Postcode"
"""
_MOTHER_COLUMNS: Final = """
adult_id = "MotherID"
adult_nhs_number = "MotherNHSNumber"
adult_given_name = "MotherForename"
adult_surname = "MotherSurname"
adult_date_of_birth = { column = "MotherDateOfBirth", format = "%Y-%m-%d" }
adult_postcode = "MotherPostcode"
"""
_COMMUNITY_TOP: Final = f"""
id_space = "community-record"
[columns]
row_id = "ContactID"
ethnicity = {{ column = "EthnicCategory", codes = {_CATEGORY_CODES} }}
{_CHILD_COLUMNS}"""
SIX_WEEK_MAPPING: Final = f"""{_COMMUNITY_TOP}{_MOTHER_COLUMNS}
review_date = {{ column = "ContactDate", format = "%Y-%m-%d" }}
feeding = {{ column = "Feeding", codes = {{ B = "breast", M = "mixed", F = "formula" }} }}
"""
ASQ_MAPPING: Final = f"""{_COMMUNITY_TOP}{_MOTHER_COLUMNS}
review_date = {{ column = "ContactDate", format = "%Y-%m-%d" }}
communication = "ASQCommunication"
gross_motor = "ASQGrossMotor"
fine_motor = "ASQFineMotor"
problem_solving = "ASQProblemSolving"
personal_social = "ASQPersonalSocial"
"""
NCMP_MAPPING: Final = f"""{_COMMUNITY_TOP}
measured_date = {{ column = "ContactDate", format = "%Y-%m-%d" }}
weight_status = {{ column = "WeightCategory", codes = {{ UW = "underweight", HW = "healthy", \
OW = "overweight", OB = "very_overweight", U = "" }} }}
"""
GP_MAPPING: Final = """
id_space = "gp-register"
[columns]
row_id = "Record"
child_id = "Patient Ref"
child_nhs_number = "NHS NUMBER"
child_given_name = { column = ["Given Name", "Other Names"] }
child_known_as = "Known As"
child_surname = "Family Name"
child_date_of_birth = { column = "DOB", format = "%d-%b-%Y" }
child_sex = { column = "Sex", codes = { Female = "female", Male = "male", Unknown = "" } }
child_postcode = "Post Code"
recorded_date = { column = "Recorded", format = "%d-%b-%Y" }
mmr1 = "MMR 1"
six_in_one = "6-in-1 x3"
up_to_date = "Up To Date"
"""
_ADULT_COLUMNS: Final = """
adult_id = "Adult ref"
adult_given_name = "Adult first name"
adult_surname = "Adult last name"
adult_date_of_birth = { column = "Adult DoB", format = "%d/%m/%Y" }
adult_postcode = "Adult postcode"
adult_relation = { column = "Relationship", codes = { Mum = "mother", Dad = "father", \
Grandparent = "carer" } }
"""
_SEX_CODES: Final = '{ F = "female", M = "male", "?" = "" }'
CENTRE_MAPPING: Final = f"""
id_space = "childrens-centres"
[columns]
row_id = "Visit ref"
child_id = "Child ref"
child_nhs_number = "NHS number"
child_given_name = "Legal forename(s)"
child_known_as = "Known as"
child_surname = "Legal surname"
child_date_of_birth = {{ column = "DoB", format = "%d/%m/%Y" }}
child_sex = {{ column = "Sex", codes = {_SEX_CODES} }}
child_postcode = "Postcode"
session_date = {{ column = "Visit date", format = "%d/%m/%Y" }}
service = "Programme"
{_ADULT_COLUMNS}"""
CENSUS_MAPPING: Final = f"""
id_space = "upn"
[columns]
row_id = {{ column = ["UPN", "Census"] }}
child_id = "UPN"
child_given_name = "Legal forename(s)"
child_known_as = "Preferred forename"
child_surname = "Legal surname"
child_date_of_birth = {{ column = "DoB", format = "%d/%m/%Y" }}
child_sex = {{ column = "Sex", codes = {_SEX_CODES} }}
child_postcode = "Postcode"
assessed_date = {{ column = "Assessed", format = "%d/%m/%Y" }}
good_level_of_development = "GLD"
english_additional_language = {{ column = "Language", codes = {{ ENG = false, OTH = true, \
NOT = "" }} }}
"""
CHARITY_MAPPING: Final = """
id_space = "paper-forms"
ids = "visit"
default_dates = ["01-01"]
[columns]
row_id = "Line"
child_id = "Form no (child)"
child_nhs_number = "NHS no (red book)"
child_given_name = "Child first name"
child_surname = "Child family name"
child_date_of_birth = { column = "Birthday", format = "%d/%m/%Y", \
codes = { "not known" = "" } }
child_date_approximate = { column = "Birthday sure?", codes = { "guess" = true, "yes" = false, \
"" = false } }
child_sex = { column = "Boy/Girl", codes = { Boy = "male", Girl = "female" } }
child_postcode = "Postcode"
session_date = { column = "Session", format = "%d/%m/%Y" }
service = { column = "Group", codes = { "Stay & play" = "natural_thinkers", \
"Breastfeeding cafe" = "breastfeeding_peer_support", "Cook and eat" = \
"community_activity_nutrition", "Baby Steps" = "baby_steps" } }
adult_id = "Form no (adult)"
adult_given_name = "Your first name"
adult_surname = "Your last name"
adult_date_of_birth = { column = "Your birthday", format = "%d/%m/%Y" }
adult_postcode = "Postcode"
adult_relation = { column = "You are the child's", codes = { mum = "mother", dad = "father", \
nan = "carer" } }
"""
FORMS_MAPPING: Final = """
id_space = "paper-forms"
ids = "visit"
default_dates = ["01-01"]
[columns]
row_id = "Sheet"
adult_id = "Form no (adult)"
adult_given_name = "Your first name"
adult_known_as = "Usually called"
adult_surname = "Your last name"
adult_date_of_birth = { column = "Your birthday", format = "%d/%m/%Y" }
adult_postcode = "Postcode"
completed_date = { column = "Date", format = "%d/%m/%Y" }
service = { column = "Course", codes = { "Baby Steps" = "baby_steps" } }
instrument = { column = "Scale", codes = { "CORE-10" = "core10" } }
timepoint = { column = "When", codes = { first = "pre", last = "post" } }
score = "Total"
"""
REFERRAL_MAPPING: Final = """
id_space = "case-system"
placeholder_ids = ["TBC"]
[columns]
row_id = "ReferralNo"
child_id = "PersonID"
child_nhs_number = "NHS"
child_given_name = "FirstNames"
child_known_as = "PreferredName"
child_surname = "LastName"
child_date_of_birth = { column = "DOB", format = "%Y-%m-%d" }
child_date_approximate = { column = "DOBType", codes = { A = false, E = true, D = true, \
"" = false } }
child_sex = { column = "Sex", codes = { Male = "male", Female = "female", "Not known" = "", \
Unborn = "" } }
child_postcode = "Postcode"
session_date = { column = "ReferralDate", format = "%Y-%m-%d" }
service = { column = "Team", codes = { SLT = "enhanced_slt", DA = "domestic_abuse_casework", \
MAT = "caseload_midwifery" } }
adult_id = "AdultPersonID"
adult_nhs_number = "AdultNHS"
adult_given_name = "AdultFirstNames"
adult_surname = "AdultLastName"
adult_date_of_birth = { column = "AdultDOB", format = "%Y-%m-%d" }
adult_sex = "AdultSex"
adult_postcode = "AdultPostcode"
adult_relation = { column = "AdultRole", codes = { Mother = "mother", Father = "father", \
Carer = "carer" } }
"""
