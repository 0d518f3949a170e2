"""Surnames by tradition, most frequent first, and parts that make the long tail of rare names."""

from typing import Final

SURNAMES: Final[dict[str, str]] = {
    "english": """
Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker
White Roberts Green Hall Wood Jackson Clarke Harris Clark Lewis Martin Cooper King Turner Hill
Ward Edwards Morris Moore Baker Harrison Allen Scott Parker Watson Bennett Young Cook Richardson
Carter Mitchell Bell Phillips Bailey Collins Shaw Morgan Price Cox Adams Marshall Simpson Ellis
Hughes Gray Mills Webb Palmer Foster Barnes Chapman Hunt Knight Rogers Stevens Matthews Russell
Reid Dixon Fisher Holmes Powell Butler Mason Lloyd Barker Stone Pearson Grant Reynolds Ford
Fletcher Harvey Fox Saunders Andrews Payne Lawrence West Day Dean Pearce Burton Spencer Cole
Bird Hart Hudson Francis Newman O'Brien Wells Marsh Page Sutton Gibson Hayes Lane Perry Bishop
Gardner Warren Bates Osborne Sharpe Humphreys Atkins Lowe Griffiths Parsons Walsh MacDonald
McKenzie Stephenson Whittaker""",
    "irish": """
Murphy Kelly O'Sullivan Walsh Smith O'Brien Byrne Ryan O'Connor O'Neill O'Reilly Doyle McCarthy
Gallagher Doherty Kennedy Lynch Murray Quinn Moore McLoughlin O'Carroll Connolly Daly O'Connell
Wilson Dunne Brennan Burke Collins Campbell Clarke Johnston Hughes O'Farrell Fitzgerald Brown
Martin Maguire Nolan Flynn Thompson O'Callaghan O'Donnell Duffy O'Mahony Boyle Healy O'Shea
White Sweeney Hayes Kavanagh Power McGrath Moran Brady Casey Foley Fitzpatrick O'Leary McDonnell
MacMahon Donnelly Regan Keane Hennessy Mulcahy Ni_Chonaill O'Hara""",
    "caribbean": """
Williams Brown Campbell Smith Johnson Thompson Clarke Morgan Francis Lewis Grant Gordon Reid
Edwards Robinson Thomas James Joseph Charles Wright Stewart Henry Bailey Walker Scott Samuels
Green Davis Bennett Allen Anderson Morrison Palmer Richards Phillips Simpson Powell Daley Dixon
Graham Gayle Blake Barrett Beckford Blackwood Bogle Burrell Chambers Cunningham Dacosta Douglas
Dyer Facey Ferguson Forbes Fraser Hibbert Hinds Hylton Jean-Baptiste Lindo Livingstone McFarlane
McKenzie McLean Mighty Nembhard Parchment Pinnock Pryce Rowe Salmon Sinclair St_Louis St-Hilaire
Swaby Tulloch Wedderburn Whyte Augustin Alleyne Braithwaite Cumberbatch Greenidge Holder Sobers""",
    "nigerian_yoruba": """
Adeyemi Adebayo Ogunleye Okafor Afolabi Adeleke Balogun Bakare Lawal Williams Oladipo Akinola
Ojo Adewale Olatunji Ajayi Ogunbanjo Fashola Sanni Oyelaran Adekunle Falana Shittu Alabi Odukoya
Coker Akande Ayodele Bamidele Idowu Oni Owolabi Salako Sobowale Soyinka Taiwo Yusuf Johnson Oke
Ige Aina""",
    "ghanaian": """
Mensah Boateng Owusu Asante Osei Appiah Agyeman Amoah Addo Adjei Asamoah Opoku Acheampong Ofori
Antwi Sarpong Frimpong Boakye Annan Ansah Amponsah Darko Danquah Gyamfi Kwarteng Nkansah Nyarko
Oppong Quaye Tetteh Yeboah Agyei Aidoo Amankwah Ampofo Arthur Ayew Badu Bonsu Donkor Essien
Gyasi Kyei Lamptey Manu Obeng Poku Quarshie Sackey Tawiah""",
    "bengali": """
Begum Miah Uddin Ahmed Ali Khatun Hussain Islam Rahman Khan Hoque Akter Choudhury Chowdhury Alam
Hossain Bibi Ullah Haque Karim Kabir Malik Sarkar Sultana Talukdar Mia Munshi Sheikh Bhuiyan Das
Islam Matin Aziz Kamali Quddus Rashid Salam Tarafder Jahan Nessa Parvin Ferdous Zaman Majumder""",
    "pakistani": """
Khan Hussain Ahmed Ali Mahmood Iqbal Akhtar Malik Shah Bibi Butt Begum Mirza Sheikh Chaudhry
Raja Qureshi Siddiqui Hashmi Javed Aslam Rashid Rehman Saleem Shabbir Sharif Tariq Yousaf Zaman
Abbasi Ansari Arshad Ashraf Aziz Baig Bhatti Chaudhary Dar Farooq Ghani Gill Haider Hanif Ilyas
Jamil Kausar Kazmi Khalid Latif Majeed Mughal Nawaz Parveen Rafiq Rana Riaz Sadiq Saeed Tahir
Waheed""",
    "punjabi_sikh": """
Gill Sidhu Dhillon Sandhu Grewal Bains Johal Sahota Atwal Dhaliwal Mann Virk Kang Brar Randhawa
Cheema Sohal Uppal Purewal Hayer Bhamra Bhogal Panesar Matharu Sagoo Flora Rai Chana Kalsi Lall
Sekhon Toor Deol Nijjar Pannu Chahal Aujla Basra Bassi Bhullar Hundal Jhutti Khaira Landa Mahal""",
    "arabic": """
Hassan Ahmed Ali Ibrahim Mohammed Al-Hassan Khalil Haddad Mansour Saleh Hussein Mahmoud Nasser
El-Amin Al-Rashid Al-Masri Al-Khatib Bouazza Benali Bouzid Cherif Mansouri El_Idrissi Alaoui
Bennani Tazi Amrani El_Fassi Khoury Najjar Hamdan Darwish Qasim Al-Sayed Osman Elhadi Abdalla
Al-Jabouri Al-Tikriti Al-Obaidi Jaber Jassim Kazem Hamad Sabah Sharif Farouk Gamal Ghanem Hilal
Issa Kassab Lahlou Mokhtar Mubarak Omari Ouali Rahmani Sabri Shaheen Sulaiman Taha Yassin Zaki
Ziani Belkacem""",
    "polish": """
Nowak Kowalski Wiśniewski Wójcik Kowalczyk Kamiński Lewandowski Zieliński Szymański Woźniak
Dąbrowski Kozłowski Jankowski Mazur Kwiatkowski Krawczyk Kaczmarek Piotrowski Grabowski Zając
Pawłowski Michalski Król Wieczorek Jabłoński Wróbel Nowakowski Majewski Olszewski Stępień
Malinowski Jaworski Adamczyk Dudek Nowicki Pawlak Górski Witkowski Walczak Sikora Baran
Rutkowski Michalak Szewczyk Ostrowski Tomaszewski Pietrzak Zalewski Wróblewski Marciniak
Jasiński Zawadzki Bąk Jakubowski Sadowski Duda Włodarczyk Wilk Chmielewski Borkowski Sokołowski
Szczepański Sawicki Kucharski Lis Maciejewski Kubiak Kalinowski Mazurek Wysocki Kołodziej
Kaźmierczak Czarnecki""",
    "portuguese": """
Silva Santos Ferreira Pereira Oliveira Costa Rodrigues Martins Jesus Sousa Fernandes Gonçalves
Gomes Lopes Marques Alves Almeida Ribeiro Pinto Carvalho Teixeira Moreira Correia Mendes Nunes
Soares Vieira Monteiro Cardoso Rocha Neves Coelho Cruz Cunha Pires Ramos Reis Simões Antunes
Matos Fonseca Machado Araújo Barbosa Tavares Lourenço Castro Figueiredo Azevedo Freitas
Magalhães Henriques Lima Guerreiro Baptista Pinheiro Faria Miranda Barros Morais Nogueira
Esteves Anjos Baptista Campos Mota Andrade Brito Sá Nascimento Leite Abreu Borges Melo Vaz Pinho
Vicente Gaspar Assunção""",
    "spanish_latin": """
Rodríguez González García Martínez López Hernández Sánchez Pérez Ramírez Torres Díaz Gómez
Vargas Moreno Rojas Muñoz Castro Ortiz Jiménez Gutiérrez Álvarez Ruiz Suárez Castillo Romero
Herrera Medina Morales Valencia Cárdenas Ríos Cruz Guerrero Mendoza Flores Zambrano Vera Cedeño
Mora Espinoza Quispe Mamani Chávez Salazar Ramos Vásquez Fernández Rivera Aguilar Delgado Molina
Ortega Mejía Parra Osorio Giraldo Restrepo Cardona Ospina Arango Zapata Betancur Henao Londoño
Marín Montoya Hoyos Franco Gallego Duque Quintero Villa Echeverri Bedoya Correa Arias Acosta
Cortés Navarro Peña Soto Reyes Núñez Paredes Guzmán Silva Campos Vega Santos Cabrera Luna Loor
Macías Intriago""",
    "chinese": """
Chen Wang Li Zhang Liu Lin Huang Wu Yang Zhou Wong Chan Lee Cheung Lam Ng Leung Ho Cheng Lau Xu
Sun Zhao Zhu Ma Hu Guo He Gao Luo Zheng Liang Xie Tang Feng Yu Dong Xiao Cao Deng Tam Yip Kwok
Tsang Mak Fung Lo Chow Zeng Peng""",
    "vietnamese": """
Nguyen Tran Le Pham Hoang Vu Vo Phan Truong Bui Dang Do Ngo Ho Duong Dinh Doan Lam Mai Trinh Ly
Luong Cao Chau Ta Dao""",
    "turkish": """
Yılmaz Kaya Demir Çelik Şahin Yıldız Yıldırım Öztürk Aydın Özdemir Arslan Doğan Kılıç Aslan
Çetin Kara Koç Kurt Özkan Şimşek Polat Korkmaz Çakır Erdoğan Yavuz Can Acar Şen Aktaş Güler
Yalçın Güneş Bozkurt Bulut Keskin Ünal Turan Gül Özer Işık Kaplan Avcı Sarı Tekin Taş Köse
Yüksel Ateş Aksoy""",
    "ukrainian": """
Melnyk Shevchenko Boiko Kovalenko Bondarenko Tkachenko Kovalchuk Kravchenko Oliinyk Shevchuk
Koval Polishchuk Bondar Tkachuk Moroz Marchenko Lysenko Rudenko Savchenko Petrenko Klymenko
Pavlenko Kravchuk Kuzmenko Ivanenko Savchuk Ponomarenko Vasylenko Mazur Zinchenko Khomenko
Didenko Romaniuk Hnatiuk Panchenko Kostenko Yurchenko Levchenko Hrytsenko Lytvyn""",
}
"""Somali and Eritrean people have no surname here: they carry their father's given name."""

TAIL_STARTS: Final[dict[str, str]] = {
    "english": """
Ash Hal Thorn Whit Brad Clay Har Lang Nor Pem Rad Sel Stan Tad Wal Win Wood Al Bram Cran Dun El
Farn Gris Hol Kirk Lin Mar Nether Old Pres Rush Shel Sud Tin Under Wes Bux Col Dal""",
    "nigerian_yoruba": """
Ade Olu Ola Ayo Ogun Oye Fa Akin Oluwa Omo Adebi Ogunde Awo Odun Ibi Ige""",
    "punjabi_sikh": """
Pada Sang Dhar Kul Mal Thia Gha Ban Cha Jan Gahu""",
    "polish": """
Brzez Lip Dębow Kamien Sosn Jezier Wiśn Górn Bial Czarn Radom Krak Lubel Topol""",
    "ghanaian": """
Asare Ofosu Osei Nti Agye Ampa Boa Owu Kyere Twum""",
    "caribbean": """
Ander Bar Cham Dun Had Lock Mal Nor Ros Wil Wal Brad""",
    "irish": """
O'Dono Mac Mul Fla Gil Hal Kin Mc""",
    "arabic": """
Al-Shar Al-Ham El-Kha Ben Bou Al-Mu Abd Al-Qa""",
    "turkish": """
Ak Kara Kız Öz Gök Er Ay Bal Taş Tek""",
}
TAIL_ENDS: Final[dict[str, str]] = {
    "english": """
ton field ham ley by worth croft wood combe ford den shaw bury well stead hurst bridge cote dale
man gate house land thorpe wick""",
    "nigerian_yoruba": """
bola wale yemi kunle dele tunde biyi sanya lana niyi funmi goke moye seun toye dapo gbenga remi
dipe""",
    "punjabi_sikh": """
nia dhu wal har ra ndra ria gar moa""",
    "polish": """
iński owski ewski ański ak czyk ek ik""",
    "ghanaian": """
ah-Bonsu -Mensah -Asante -Addo -Boakye -Amoah hene -Poku""",
    "caribbean": """
son field ton ley mont ville worth ridge""",
    "irish": """
ghue nnery lligan herty rane nnell cahy verty Keon""",
    "arabic": """
if oud madi lil mar nsi ali sani dour""",
    "turkish": """
soy demir türk kan kaya taş gün bay doğan er""",
}
GIVEN_STARTS: Final[dict[str, str]] = {
    "nigerian_yoruba": "Ade Olu Oluwa Ayo Ola Temi Ire Ife Omo Tolu Fiyin Ewa Ibukun Ini Anu Jesu",
    "punjabi_sikh": "Gur Har Jas Man Sim Am Kul Par Sukh Raj Nav Prab Ran Kar Ish Tej",
    "chinese": "Yi_ Zi_ Xin_ Jia_ Yu_ Hao_ Mei_ Xiao_ Rui_ Jing_ Wei_ Ka_ Wing_ Tsz_",
    "caribbean": "Ja Ty Ke Sha Da Ra Ma La Ki Za",
    "arabic": "Abdel Nour Zein Saif Sham",
    "bengali": "Shaf Rah Naz Tahm Maf Zub Jah",
}
GIVEN_ENDS: Final[dict[str, str]] = {
    "nigerian_yoruba": "dayo bola kemi tobi mide seyi niyi funmi yinka dare sola wumi tayo loba",
    "punjabi_sikh": "preet deep jit inder leen veer want meet neet simran pal kirat",
    "chinese": "Xuan Han Yue Tong Lin Yan Chen Ming Jie Ning Hei Ying Ching Fei",
    "caribbean": "mari niah vonte kai riah dre zia maine nelle lani",
    "arabic": "aziz karim hadi malek rahim ddine",
    "bengali": "ina ira iya ida ana",
}
