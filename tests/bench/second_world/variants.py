"""Other forms of a name: spellings, short forms, English names in daily use, other scripts."""

from typing import Final

SPELLINGS: Final = """
Mohammed Muhammad Mohamed Mohammad Muhammed Mohamad Maxamed Mehmed
Ahmed Ahmad Axmed Achmed
Yusuf Yousef Yousuf Youssef Yusef Yuusuf
Ibrahim Ebrahim Ibraheem
Hassan Hasan Hassen Xasan
Hussain Hussein Husain Hossain Hussayn
Abdullah Abdulla Abdallah Abdullahi
Abdirahman Abdurahman Abdulrahman Cabdiraxmaan Abdelrahman Abdirahmaan
Omar Umar Cumar Umer
Osman Usman Uthman Othman Cusmaan
Ali Aly Cali
Khalid Khaled Qalid
Zakaria Zakariya Zakariyah Zekaria
Ismail Ismaeel Esmail
Suleiman Sulaiman Sulayman Saleban Suleman
Mustafa Mostafa Mustapha
Bilal Belal Bilaal
Yahya Yehia Yaxye
Isse Eesa Issa Isa Ciise
Zayn Zain Zayne Zane
Ayaan Ayan Ayann
Rayyan Rayan Rayaan
Musa Moosa Moussa Muse
Fatima Fatema Fatimah Faatimah Fatma Fathima
Fadumo Faduma Fatuma Faadumo
Aisha Ayesha Aysha Aishah Caasha Asha Aicha
Khadija Khadijah Khadiza Khadeeja
Maryam Mariam Mariyam Meriem Maryan Meryem
Zainab Zaynab Zeinab Zeynab Saynab
Amina Aminah Ameena Aamina
Halima Halimah Xaliima Haleema
Zahra Zara Zahraa Sahra
Safiya Safia Safiyah
Yasmin Yasmeen Yasmine Jasmin
Layla Leila Laila Leyla
Nour Noor Nur Noura
Sumaya Sumayyah Sumaiya Sumeya
Hafsa Hafsah Hafza
Inaya Anaya Inayah
Rahima Raheema Rohima
Shafiq Shafique Shofiq
Begum Begom Begam
Khatun Khatoon Khatunn
Miah Mia Miya
Uddin Udin Uddeen
Choudhury Chowdhury Choudhary Chaudhry Chaudhary
Akter Akhtar Akther
Rahman Rehman Rahaman
Islam Eslam
Hoque Haque Huq
Sheikh Shaikh Shaik
Siddiqui Siddiqi Siddique
Qureshi Quraishi Kureshi
Malik Malek
Tesfay Tesfaye Tesfai
Yohannes Yohanes Johannes
Berhane Birhane Brhane
Gebre Ghebre Gebru
Samuel Samuiel Samueal
Selam Salam Selamawit
Saron Sharon
Oluwaseun Oluwasheun Oluseun
Adeyemi Adeyemy Adeyeme
Sofiia Sofia Sophia
Mariia Maria Mariya
Anastasiia Anastasia Anastasiya
Oleksandr Alexandr Olexandr
Dmytro Dmitro Dmitri
Andrii Andriy Andrei
Serhii Sergiy Serhiy
Yuliia Yulia Julia
Kateryna Katerina Ekaterina
Mykola Nikolai
Catherine Katherine Kathryn Katharine
Isabelle Isabel Isobel Isabella
Sophie Sofie Sophy
Zoe Zoey
Aidan Aiden Ayden
Jayden Jaden Jaydon
Jaxon Jackson Jaxson
Rory Ruairi Ruari
Sean Shaun Shawn
Caoimhe Keeva
Niamh Neve
Maeve Meabh
Erin Eryn
Leah Lia Lea
Aaliyah Aliyah Alia Aleeyah
Amelia Emelia Amelie
Phillips Philips
Clarke Clark
Reid Reed Read
Stephen Steven
Thompson Thomson
Davies Davis
""".strip()

SHORT: Final = """
William:Billy,Will,Bill,Liam
Eleanor:Ellie,Nell,Nora
Elizabeth:Lizzie,Beth,Betty,Liz,Eliza
Katherine:Kate,Katie,Kathy
Catherine:Cathy,Kate,Cat
Katarzyna:Kasia,Kaśka
Alexander:Alex,Xander,Alec,Sasha
Aleksander:Olek,Alex
Aleksandra:Ola,Alex
Małgorzata:Gosia
Agnieszka:Aga
Barbara:Basia
Magdalena:Magda
Joanna:Asia,Aśka
Zuzanna:Zuzia,Zuza
Zofia:Zosia
Hanna:Hania
Wiktoria:Wika
Stanisław:Staś,Stan
Jakub:Kuba
Krzysztof:Krzys,Chris
Tomasz:Tomek
Michał:Michael
Piotr:Piotrek,Peter
Franciszek:Franek
Antoni:Antek,Antos
Mikołaj:Miki
Mateusz:Mati
Thomas:Tom,Tommy
James:Jamie,Jim,Jimmy
Benjamin:Ben,Benji
Daniel:Danny,Dan
Samuel:Sam,Sammy
Joshua:Josh
Joseph:Joe,Joey
Matthew:Matt
Michael:Mike,Mikey
Robert:Bobby,Rob,Bob
Edward:Eddie,Ted,Teddy
Frederick:Freddie,Fred
Theodore:Theo,Teddy,Ted
Nathaniel:Nathan,Nate
Christopher:Chris,Kit
Zachary:Zac,Zach
Isaac:Zac,Ike
Oliver:Ollie
Oscar:Ozzy
Henry:Harry
Arthur:Artie
Charlotte:Lottie,Charlie
Charlie:Charles
Isabella:Bella,Izzy,Isla
Isabelle:Izzy,Belle
Matilda:Tilly,Mattie
Amelia:Millie,Mia
Emily:Em,Millie
Penelope:Penny
Victoria:Vicky,Tori
Samantha:Sam,Sammy
Rebecca:Becky,Becca
Abigail:Abby,Abi
Florence:Flo,Flossie
Margaret:Maggie,Peggy
Jessica:Jess,Jessie
Georgia:Georgie
Harriet:Hattie
Rosalind:Ros,Rosie
Josephine:Josie,Jo
Patrick:Paddy,Pat
Bridget:Bridie
Siobhan:Shiv
Emmanuel:Manny,Emma
Jeremiah:Jerry,Jay
Ezekiel:Zeke,Zek
Malachi:Mal,Kai
Gabriel:Gabe
Gabriella:Gabby
Gabriela:Gabi
Gabrielle:Gabby
Francisco:Paco,Chico
José:Pepe
Juan José:Juanjo
Juan Pablo:Juanpa
María José:Majo
Guadalupe:Lupe
Alejandro:Alex
Alejandra:Ale
Santiago:Santi
Sebastián:Sebas
Valentina:Vale
Guilherme:Gui
Mariana:Mari
Margarida:Guida
Oluwaseun:Seun
Oluwadamilola:Dami
Damilola:Dami
Oluwatobiloba:Tobi
Oluwatobi:Tobi
Temitope:Temi
Toluwani:Tolu
Oluwatimilehin:Timi
Ayomide:Ayo
Olamide:Ola
Babatunde:Tunde
Adebayo:Ade,Bayo
Ifeoluwa:Ife
Ibukunoluwa:Ibukun
Abdirahman:Abdi
Abdullahi:Abdi
Abdullah:Abdul
Abdirizak:Abdi
Mohammed:Mo
Mohamed:Mo
Muhammad:Mo
Oleksandr:Sasha,Alex
Oleksandra:Sasha
Anastasiia:Nastya
Mykhailo:Misha
Dmytro:Dima
Volodymyr:Vova
Kateryna:Katya
Yonatan:Yoni
Bethlehem:Betty
Natnael:Nati
Gurpreet:Gopi
Manpreet:Mani
Harpreet:Harry
""".strip()

ENGLISH_FOR_USE: Final = {
    "f": """
Amy Jenny Emma Lucy Grace Coco Chloe Tina Vivian Cindy Joyce Alice Sophie Kelly Mary Michelle
Lily Angela Emily Hannah Esther Deborah Victoria Favour Blessing Sarah Ruth Joy Elizabeth""",
    "m": """
Jason Kevin Eric Tony Andy Ryan Leo Jack Vincent Henry Lucas Alan Ken Raymond Daniel Peter
Michael David Samuel Emmanuel Joshua Daniel Matthew Joseph Victor Isaac Timothy""",
}

_SCRIPT_ROWS: Final = """
Mohammed:محمد Ahmed:أحمد Ali:علي Omar:عمر Yusuf:يوسف Ibrahim:إبراهيم Hassan:حسن Hussein:حسين
Adam:آدم Abdullah:عبدالله Khalid:خالد Hamza:حمزة Bilal:بلال Mustafa:مصطفى Mahmoud:محمود Anas:أنس
Fatima:فاطمة Maryam:مريم Aisha:عائشة Nour:نور Layla:ليلى Sara:سارة Zahra:زهراء Yasmin:ياسمين
Amina:أمينة Salma:سلمى Hana:هناء Lina:لينا Zainab:زينب Khadija:خديجة Khalil:خليل Haddad:حداد
Mansour:منصور Saleh:صالح Nasser:ناصر Al-Hassan:الحسن Al-Masri:المصري Khoury:خوري Salim:سالم
Karim:كريم Samir:سمير Jamal:جمال Said:سعيد Idris:إدريس Samira:سميرة Huda:هدى Amal:أمل
"""
_BENGALI_ROWS: Final = """
Mohammed:মোহাম্মদ Abdul:আব্দুল Ibrahim:ইব্রাহিম Yusuf:ইউসুফ Hamza:হামজা Rahim:রহিম Karim:করিম
Kamal:কামাল Jamal:জামাল Fatema:ফাতেমা Ayesha:আয়েশা Sumaiya:সুমাইয়া Nusrat:নুসরাত Khadija:খাদিজা
Sadia:সাদিয়া Begum:বেগম Miah:মিয়া Uddin:উদ্দিন Ahmed:আহমেদ Ali:আলী Khatun:খাতুন Hussain:হুসাইন
Islam:ইসলাম Rahman:রহমান Khan:খান Hoque:হক Akter:আক্তার Choudhury:চৌধুরী Tasnim:তাসনিম
Maryam:মরিয়ম Anika:আনিকা Shahida:শাহিদা Rahima:রহিমা Halima:হালিমা
"""
_CHINESE_ROWS: Final = """
Chen:陈 Wang:王 Li:李 Zhang:张 Liu:刘 Lin:林 Huang:黄 Wu:吴 Yang:杨 Zhou:周 Wong:黃 Chan:陳 Lee:李
Cheung:張 Lam:林 Ng:吳 Leung:梁 Ho:何 Cheng:鄭 Lau:劉 Xu:徐 Sun:孙 Zhao:赵 Yi:怡 Ning:宁 Xin:欣
Zi:子 Xuan:轩 Yu:雨 Tong:彤 Mei:美 Ling:玲 Xiao:小 Yan:燕 Hui:慧 Min:敏 Jia:佳 Hao:浩 Han:涵
Jun:俊 Jie:杰 Wei:伟 Ming:明 Jing:静 Ka:嘉 Wing:詠 Hei:熙 Ying:英 Tsz:子 Kai:凯 Rui:瑞
"""
_CYRILLIC: Final = (
    "shch:щ zh:ж kh:х ts:ц ch:ч sh:ш yu:ю ia:я ya:я ii:ій yi:ї ye:є iu:ю a:а b:б v:в h:г g:ґ"
    " d:д e:е z:з y:и i:і k:к l:л m:м n:н o:о p:п r:р s:с t:т u:у f:ф"
)


def _pairs(rows: str) -> dict[str, str]:
    return dict(item.split(":", 1) for item in rows.split())


SCRIPTS: Final = {
    "arabic": _pairs(_SCRIPT_ROWS),
    "bengali": _pairs(_BENGALI_ROWS),
    "chinese": _pairs(_CHINESE_ROWS),
}
_LETTERS: Final = sorted(_pairs(_CYRILLIC).items(), key=lambda pair: -len(pair[0]))
GROUPS: Final = {
    name: [other for other in line.split() if other != name]
    for line in SPELLINGS.splitlines()
    for name in line.split()
}
SHORT_FORMS: Final = {
    line.split(":")[0]: line.split(":")[1].split(",") for line in SHORT.splitlines()
}


def in_script(name: str, tradition: str) -> str:
    """Write a name in its own script, or return "" if the tables do not know it."""
    if tradition == "ukrainian":
        return _cyrillic(name)
    table = SCRIPTS.get(tradition, {})
    parts = [table.get(part, "") for part in name.split()]
    if not parts or not all(parts):
        return ""
    return ("" if tradition == "chinese" else " ").join(parts)


def _cyrillic(name: str) -> str:
    rest, out = name.lower(), ""
    while rest:
        for latin, letter in _LETTERS:
            if rest.startswith(latin):
                out, rest = out + letter, rest[len(latin) :]
                break
        else:
            out, rest = out + rest[0], rest[1:]
    return out.title()
