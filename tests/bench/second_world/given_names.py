"""Given names by tradition, most frequent first. An underscore stands for a space."""

from typing import Final

GIRLS: Final[dict[str, str]] = {
    "english": """
Olivia Amelia Isla Ava Ivy Freya Lily Florence Mia Willow Rosie Sophia Isabella Grace Daisy
Sienna Poppy Elsie Emily Ella Evelyn Phoebe Evie Charlotte Harper Millie Matilda Maya Sophie
Alice Emilia Isabelle Ruby Luna Maisie Aria Penelope Mila Bonnie Eva Hallie Eliza Ada Violet
Esme Arabella Imogen Jessica Delilah Chloe Lottie Maeve Robyn Thea Edith Eleanor Nancy Margot
Zara Orla Ophelia Clara Erin Lucy Hannah Molly Beatrice Martha Georgia Rose Lola Iris Elizabeth
Summer Heidi Darcie Abigail Ottilie Amber Holly Aurora Mabel Harriet Lyla Jasmine Eloise Anna
Katie Scarlett Annabelle Victoria Rebecca Megan Katherine Rachel Zoe Juliet Cora Tabitha
Francesca Josephine Winifred Samantha Louisa Dorothy Madeleine Ella-Mae Lily-Rose Ellie-May
Amelie Hattie Felicity Constance Frances Rosalind""",
    "irish": """
Aoife Saoirse Niamh Orla Ciara Maeve Caoimhe Sinead Roisin Clodagh Aisling Grainne Fiadh Sadhbh
Erin Kate Nora Eimear Siobhan Deirdre Brigid Maura Bronagh Aine Cliodhna Fionnuala Molly Grace
Emma Sarah Lucy Ava Emily Sophie Anna Ellen Mary_Kate Oonagh Muireann Tara Shannon Sheila Una
Riona Dervla Mairead Catherine Bridget Eileen Noreen""",
    "caribbean": """
Aaliyah Amara Naomi Destiny Imani Tiana Kiara Shanice Jada Zuri Nevaeh Aliyah Serenity Leah
Kayla Ayanna Tianna Sienna Renee Simone Gabrielle Chanel Jasmine Amelia Faith Janelle Keisha
Latoya Tamara Sasha Michaela Danielle Kezia Keziah Rochelle Monique Natalia Shakira Tanisha
Yasmin Zara Alisha Angel Ariana Avani Brianna Camille Candice Chantelle Cherelle Claudia Cleo
Dionne Ebony Eliana Esther Gloria Hope Iesha Indiana Jolie Jodie-Ann Kadeja Kimora Kya Layla
Lexi Lianna Malia Marcia Marissa Nadia Nia Nyah Olivia Paige Patience Precious Princess Raven
Reanna Rhianna Rianne Ruth Sade Samara Sapphire Savannah Shanelle Shaniah Shereen Skye Tahlia
T'Keyah Tyra Zaria Zion Kelis Jahnae Tamika""",
    "nigerian_yoruba": """
Temitope Ayomide Damilola Oluwaseun Ifeoluwa Oluwadamilola Toluwani Simisola Morenike Folake
Adunni Abimbola Adebola Omolara Yetunde Titilayo Bukola Funmilayo Olamide Modupe Ronke
Ibukunoluwa Oyinkansola Tiwalade Anuoluwapo Inioluwa Moyosoreoluwa Oreoluwa Adesewa Iyanuoluwa
Fiyinfoluwa Aderonke Omotola Omowunmi Olubunmi Kehinde Taiwo Idowu Abiola Adeola Ayobami Bolanle
Dolapo Ebunoluwa Eniola Erioluwa Ewaoluwa Fadekemi Fehintoluwa Feyisayo Gbemisola Ibironke
Ikeoluwa Iremide Jadesola Jesutofunmi Kofoworola Lolade Mofiyinfoluwa Mojisola Mosopefoluwa
Nifemi Oluwafunmilayo Oluwakemi Oluwatobiloba Oluwatoni Oluwatosin Omolade Oluwanifemi Opeyemi
Pelumi Praise Rofiyat Semilore Sijuade Subomi Teniola Teniayo Tinuola Tiaraoluwa Tofunmi Wuraola
Yewande""",
    "ghanaian": """
Akua Abena Ama Adwoa Afia Esi Yaa Akosua Efua Araba Nana_Ama Maame Grace Abigail Priscilla
Emmanuella Blessing Gifty Patience Comfort Mercy Vida Josephine Beatrice Felicia Gloria Esther
Deborah Naomi Ruth Princess Angela Michelle Jessica Vanessa Sandra Benedicta Bernice Christabel
Doris Eunice Faustina Georgina Hannah Irene Janet Joyce Lydia Nhyira Adom Aseda Nyameye Perpetua""",
    "somali": """
Amina Hodan Fadumo Khadija Ayan Sahra Halima Maryam Hafsa Ifrah Asha Nasra Hibo Safiya Zamzam
Sumaya Fartun Ubah Deqa Ikran Muna Naima Idil Sagal Hamdi Faiza Fardowsa Ladan Ayaan Hawa Shukri
Samira Zahra Amal Rahma Salma Yasmin Nimo Filsan Bilan Raho Sabrin Suad Anisa Hoda Kaltun Kowsar
Luul Maida Najma Qamar Roda Ruqiya Saido Saynab Siham Sucdi Suleqa Timiro Warda Yusra Zeinab
Aniisa Barwaqo Bushra Caasha Dahabo Ebyan Farhiya Ilhan Istahil Jamila Kadra Leyla Mariama
Munira Nuura Rahmo Rukia Sacdiya Shamso Umayma""",
    "eritrean": """
Selam Helen Feven Saron Bethlehem Rahel Semhar Winta Yohana Natsnet Luwam Eden Hermon Mihret
Abeba Almaz Tigist Meron Hanna Sara Ruta Delina Soliana Heran Mekdes Kidist Senait Freweini
Akberet Letebrhan Zufan Tsega Tsehay Medhanit Arsema Liya Nardos Danait Rodas Fiyori Lidya
Samrawit Aster Hiwot Genet Kisanet Bana Yordanos Elsa Adiam""",
    "bengali": """
Fatema Ayesha Sumaiya Nusrat Tasnim Maryam Jannat Khadija Anika Sadia Farzana Nasrin Rukhsana
Shahida Rahima Halima Taslima Sultana Rehana Samia Maliha Zara Aaliyah Inaya Hafsa Safa Raisa
Tahmina Tanjina Mahfuza Nazma Shirin Shamima Salma Ruksana Razia Rabia Parveen Nargis Naima
Munira Momtaz Mim Lubna Laila Kulsum Jasmin Israt Humaira Hasina Habiba Fahmida Farhana Faiza
Dilara Bushra Asma Arifa Amina Aisha Afsana Zainab Yasmin Umme Tania Tamanna Sumi Sufia Sanjida
Sabina Runa Romana Rima Rifah Nadia Mahmuda Lamia Jesmin Ishrat Fariha Eshal Anisa Amira Sabrina
Tanha""",
    "pakistani": """
Fatima Ayesha Zainab Maryam Aisha Hania Inaya Zara Anaya Hafsa Khadija Eshaal Noor Minahil Amna
Aleena Iqra Sana Saima Nadia Sadia Rabia Samina Shazia Nasreen Farah Uzma Hina Maria Mahnoor
Laiba Alishba Haniya Aiza Ayat Zoya Zunaira Aroosa Bushra Asma Shabana Rubina Shaista Tahira
Yasmeen Kiran Mehwish Misbah Naila Nimra Nabila Parveen Rehana Riffat Robina Romaisa Rukhsana
Saba Safa Saira Sajida Salma Sobia Sumera Tayyaba Tehmina Umaima Unaiza Warda Zahra Zakia
Zubaida Anum Areeba Arooj Dua Emaan Ghazala Huda Humaira Kainat Kinza Mehak Momina Abeeha""",
    "punjabi_sikh": """
Simran Jasleen Harleen Manpreet Navneet Gurleen Kiran Jasmine Anaya Avneet Amrit Harpreet
Sukhmani Kavleen Mehar Ravneet Prabhleen Rajvir Jaspreet Sandeep Baljit Kuldeep Satwinder
Surinder Parminder Rupinder Sharan Simrat Tavleen Asees Anmol Ekam Gursimran Japji Komal Livleen
Nimrit Pavan Raman Sehaj Tanveer Amandeep Mandeep Gurpreet Rajinder""",
    "arabic": """
Fatima Maryam Aisha Nour Layla Sara Zahra Yasmin Amina Salma Hana Rania Lina Mariam Noor Malak
Khadija Zainab Huda Amal Dina Samira Nadia Leila Farah Jana Lana Maya Rana Reem Ruqayyah Safiya
Sumaya Asma Hafsa Iman Inas Jamila Karima Latifa Mona Nabila Najwa Naima Rabia Rasha Rim Rima
Sabah Safa Sahar Samar Shahd Shaima Siham Souad Tasneem Wafa Widad Yousra Zeina Zineb Hajar
Ikram Imane Kawtar Loubna Meriem Nisrine Ghazal Hala Israa Janna Joud Marwa Mayar Nada Ola Rahaf
Rawan Rital Taleen Tala Zina""",
    "polish": """
Zuzanna Julia Maja Zofia Hanna Lena Alicja Oliwia Maria Amelia Aleksandra Wiktoria Natalia
Emilia Laura Pola Antonina Nikola Gabriela Liliana Katarzyna Małgorzata Agnieszka Barbara Ewa
Magdalena Monika Joanna Anna Elżbieta Dorota Iwona Justyna Karolina Paulina Sylwia Marta Kinga
Izabela Weronika Dominika Patrycja Milena Aneta Beata Renata Ilona Kamila Klaudia Martyna Nadia
Kornelia Blanka Michalina Helena Jagoda Łucja Marcelina Róża Kaja Iga Nina Anastazja Dagmara
Urszula Żaneta Sandra Edyta Bożena Grażyna Halina Jolanta Wanda Zdzisława Ada Apolonia Matylda
Bianka Daria Sara""",
    "portuguese": """
Maria Leonor Matilde Beatriz Carolina Mariana Ana Inês Sofia Francisca Margarida Lara Clara
Alice Joana Rita Luana Bianca Letícia Gabriela Camila Juliana Fernanda Patrícia Sandra Sónia
Susana Catarina Cláudia Cristina Diana Daniela Eva Filipa Helena Isabel Jéssica Larissa Laura
Lúcia Luísa Madalena Mafalda Marta Micaela Mónica Natália Nicole Paula Raquel Renata Rosa Sara
Tatiana Teresa Valentina Vanessa Vera Vitória Yara Adriana Alícia Amanda Andreia Aurora Benedita
Bruna Carla Célia Débora Elisa Fabiana Fátima Flávia Iara Íris Isadora Júlia Lívia Manuela
Melissa Pietra""",
    "spanish_latin": """
Sofía Valentina Isabella Camila Mariana Gabriela María_José Luciana Victoria Daniela Samantha
Valeria Ximena Emily Salomé Antonella Emma Martina Laura Ana_María Paula Andrea Carolina Natalia
Alejandra Sara Juliana Manuela Nicole Lucía Paola Diana Claudia Sandra Patricia Luz_Marina
Adriana Angela Beatriz Carmen Catalina Cecilia Cristina Dayana Dolores Elena Esperanza Estefanía
Eugenia Fernanda Flor Gloria Guadalupe Inés Ingrid Irene Jazmín Jimena Johana Juana Karen
Katherine Leidy Lorena Luisa Magdalena Marcela Margarita Martha Mercedes Mónica Nataly Noelia
Olga Pilar Raquel Rocío Rosa Silvia Teresa Verónica Viviana Yolanda Zulma""",
    "chinese": """
Yi_Ning Xin_Yi Zi_Xuan Yu_Tong Mei_Ling Xiao_Yan Hui_Min Jia_Yi Si_Qi Wan_Ting Yu_Xin Li_Na
Mei_Hua Xue_Ying Ying Na Min Jing Fang Li Yan Hong Xiu_Lan Shu_Fen Ka_Yan Wing_Yan Hoi_Ching
Tsz_Ching Sin_Yi Lok_Yi Mei_Yi Jia_Qi Ruo_Xi Yi_Han Meng_Yao Xin_Yue Qian Ting_Ting Lu_Lu""",
    "vietnamese": """
Linh Trang Huong Lan Mai Ngoc Thao Phuong Hoa Hanh Ha Thu Thuy Nga Yen Van Dung Hang Chi Anh My
Nhung Quynh Tam Thanh Tuyet Vy Xuan Bich Cam Diep Giang Hien Hong Khanh Kim Lien Loan Minh Nhi
Oanh Tien Truc Uyen""",
    "turkish": """
Zeynep Elif Defne Asel Azra Nehir Eylül Zümra Ecrin Hira Ayşe Fatma Emine Hatice Merve Büşra
Esra Gül Gülay Selin Melisa İpek Derya Deniz Duru Ela Lina Mira Nur Özlem Pınar Sevgi Sibel
Songül Şeyma Tuğba Yasemin Yağmur Yıldız Zehra Aylin Aslı Berfin Rojin Dilan Beren Ceren Ebru
Filiz Hülya""",
    "ukrainian": """
Sofiia Anna Mariia Anastasiia Viktoriia Polina Daryna Yeva Solomiia Oleksandra Kateryna Olena
Iryna Natalia Oksana Tetiana Yuliia Svitlana Halyna Liudmyla Zlata Yaroslava Veronika Milana
Kira Diana Alina Valeriia Yelyzaveta Khrystyna Nadiia Vira Liubov Olha Inna Larysa Bohdana
Myroslava Emiliia Marharyta""",
}

BOYS: Final[dict[str, str]] = {
    "english": """
Noah Oliver George Arthur Leo Theodore Freddie Oscar Archie Henry Jack Luca Charlie Harry Theo
Alfie Jude William Arlo Thomas Finley Louie Roman Isaac Rory James Teddy Albie Reuben Alexander
Edward Lucas Albert Tommy Max Hugo Elijah Louis Rowan Reggie Sebastian Edward Mason Joshua Ezra
Joseph Jaxon Caleb Benjamin Daniel Frederick Toby Sonny Hunter Jasper Ralph Bobby Felix Hudson
Frankie Adam Ronnie Ethan Samuel Rupert Otis Logan Gabriel Harrison Ellis Jacob David Michael
Robert Nathan Matthew Stanley Ernest Harvey Zachary Barnaby Kit Blake Rafferty Ollie Vinnie
Tobias Jenson Riley Dylan Liam Aidan Jayden Tyler Kai Connor Christopher Nicholas Anthony
Patrick Richard Peter Laurence Ivor Wilfred Percy Sidney Cassius Monty Bertie Lenny Jesse Otto
Ted Gus""",
    "irish": """
Jack Conor Oisin Fionn Cian Rory Darragh Liam Sean Cillian Tadhg Eoin Daithi Padraig Ciaran
Cathal Donnacha Ruairi Senan Ronan Callum Aidan Brendan Declan Eamon Fergal Finbar Kieran Lorcan
Malachy Niall Oran Patrick Michael James Thomas Daniel Shane Dermot Diarmuid Brian Kevin Colm
Odhran Shay Fiachra Martin Gerard Hugh Donal""",
    "caribbean": """
Elijah Isaiah Malachi Micah Josiah Jeremiah Tyrese Jayden Kymani Zion Nathaniel Marcus Andre
Tyrone Darius Jahmari Kaiden Khalil Malik Leon Dominic Kieron Jerome Reuben Ezekiel Xavier
Nathan Isaac Joshua Caleb Jordan Dante Dwayne Rashaun Terrell Tremaine Tristan Aaron Akeem
Alijah Amari Anton Ashton Curtis Damarion Damani D'Andre Daniel Delroy Demarco Desmond Devante
Ethan Gabriel Gavin Givani Hezekiah Israel Jaheim Jahlani Jamal Jared Javon Jermaine Jevon Jonah
Julian Kai Kareem Keanu Kenan Keon Kyrie Lamar Leroy Levi Lloyd Mekhi Messiah Neriah Omari
Orlando Quincy Raheem Rakeem Rico Romario Ryan Samuel Shaquille Shemar Silas T'Kai Tafari Troy
Winston Zaire Zavier""",
    "nigerian_yoruba": """
Oluwaseun Ayomide Temitope Oluwatobi Adebayo Olumide Babatunde Ifeoluwa Oluwadarasimi Adeyemi
Adewale Ayodele Babajide Olufemi Oluwaseyi Oluwafemi Toluwanimi Tobiloba Kolawole Akinwale
Damilare Oluwadamilare Oluwatimilehin Folarin Gbenga Kayode Kehinde Taiwo Idowu Korede Mayowa
Niyi Ireoluwa Iyanuoluwa Inioluwa Jesutomi Jomiloju Laolu Leke Morayo Nathaniel Obaloluwa
Oladapo Oladimeji Oladele Olakunle Olamide Olaoluwa Olawale Olusegun Oluwaferanmi Oluwafisayo
Oluwajomiloju Oluwakorede Oluwamayowa Oluwanifemi Oluwasemilore Oluwatamilore Oluwatoba Opeoluwa
Oreofeoluwa Segun Seyi Sola Tayo Temiloluwa Tomiwa Toluwalase Tunde Wale Yinka Abayomi Ademola
Aderemi Akintunde Ayanfeoluwa Ayobami Boluwatife Demilade Eniola Fikayo Fiyinfoluwa Moyosore""",
    "ghanaian": """
Kwame Kofi Kwabena Kwaku Yaw Kwasi Kojo Nana_Yaw Emmanuel Samuel Daniel Prince Michael Joshua
Isaac Ebenezer Bright Ernest Eric Francis Frank George Gideon Godfred Isaiah Jeffrey Jeremiah
Joseph Kelvin Kingsley Nathaniel Nhyira Papa Patrick Philip Raymond Richmond Solomon Stephen
Theophilus Vincent William Yaw_Junior Ato Ebo Fiifi Kobina Paa_Kwesi Nii Elikem""",
    "somali": """
Mohamed Abdirahman Ahmed Ali Hassan Abdullahi Yusuf Ibrahim Ismail Omar Abdi Hussein Mahad
Abdirizak Khalid Zakaria Bilal Hamza Liban Guled Mustafa Said Jama Farah Warsame Bashir Adam
Abdifatah Abdikadir Abdinasir Abdiaziz Abdulqadir Abubakar Adan Aden Ayub Anas Awale Burhan
Dahir Daud Deeq Elmi Faisal Faarax Garad Hamse Haroun Hirsi Idris Ilyas Isse Jibril Keynan
Mahamud Maxamed Mubarak Muhidin Mukhtar Munir Muse Nasir Nur Osman Qasim Rooble Sadam Salah
Salman Samatar Sharmarke Shire Siyad Suleiman Sulub Taha Yahya Yasin Yonis Zubeyr""",
    "eritrean": """
Yonas Samuel Daniel Dawit Filmon Robel Henok Abel Nahom Natnael Yonatan Merhawi Mehari Tesfay
Berhane Kidane Haile Gebre Tekle Negash Amanuel Aman Biniam Ermias Eyob Ezra Fitsum Girmay
Isaias Kibrom Kiflom Mussie Million Mikias Noah Petros Rezene Senay Sirak Solomon Temesgen
Tsegay Weldu Yared Yohannes Yosief Zerezghi Abraham Habtom Kaleb""",
    "bengali": """
Mohammed Abdul Md Ibrahim Yusuf Ayaan Abdullah Rayhan Zayan Ismail Hamza Tahmid Rafi Sami Adam
Zakir Rahim Karim Kamal Jamal Shah Nurul Abul Mizan Anwar Aminul Ashraf Azizur Badrul Delwar
Emdad Fahim Faruk Faisal Habibur Harun Hasan Imran Iqbal Jahangir Jakir Jubair Kabir Khaled
Lutfur Mahbub Mahdi Mahfuz Masum Mehedi Monir Mosharraf Motiur Mujib Nasir Nazmul Omar Rashid
Rezaul Ruhul Sabbir Saiful Sajid Salman Shafiq Shahin Shakil Shamim Shofiqul Sohail Sultan Syed
Tanvir Tariq Tauhid Zahid Zubair Arham Musa Eesa Mikail Yahya""",
    "pakistani": """
Muhammad Mohammed Ali Ahmed Hassan Ibrahim Zayn Ayaan Yusuf Hamza Bilal Usman Umar Abdullah Musa
Haris Zain Adam Eesa Rayyan Hussain Imran Asif Tariq Nadeem Shahid Khalid Rashid Amir Kamran
Adnan Faisal Farhan Fahad Saad Saif Sajid Salman Shoaib Sohail Tahir Talha Waqas Waseem Yasir
Zahid Zeeshan Zubair Aamir Abrar Adeel Ahsan Akhtar Amjad Aqib Arham Arslan Asad Atif Awais Azan
Babar Danish Ehsan Fawad Ghulam Habib Huzaifa Ijaz Irfan Ismail Javed Junaid Kashif Liaqat
Mahmood Majid Mohsin Mubashir Naveed Owais Qasim Rizwan Shahzad""",
    "punjabi_sikh": """
Arjan Harjit Gurpreet Manvir Jaspreet Amandeep Harman Gurdeep Ranvir Fateh Angad Ajit Balbir
Baljit Daljit Gagan Gurbaksh Gurmukh Harbhajan Hardeep Harvir Inderjit Jagdeep Jagjit Jasbir
Jaskaran Jatinder Joban Karanvir Karam Kulwant Lakhvir Manjit Mohan Navdeep Nihal Onkar Paramjit
Ranjit Sahib Sartaj Sukhdev Tejpal Veer Yuvraj""",
    "arabic": """
Mohammed Ahmed Ali Omar Yusuf Ibrahim Hassan Hussein Adam Abdullah Khalid Zayd Hamza Bilal Karim
Mustafa Mahmoud Anas Ayman Amir Amin Abdelrahman Abdelkader Adel Akram Alaa Anwar Bader Bassam
Faisal Faris Fouad Ghassan Habib Haitham Hakim Hani Haroun Hatem Hisham Idris Imad Ismail Issam
Jamal Jawad Kamal Khaled Laith Majid Malik Mansour Marwan Mehdi Moussa Munir Nabil Nader Nasser
Nizar Othman Qasim Rachid Rami Rashid Rayan Reda Riad Said Salah Salim Sami Samir Sufian
Sulaiman Tamer Tarek Walid Yahya Yassin Yazan Younes Zakaria Ziad Elias Jad Taim""",
    "polish": """
Antoni Jan Jakub Aleksander Franciszek Szymon Filip Mikołaj Wojciech Adam Kacper Marcel Michał
Stanisław Wiktor Leon Nikodem Igor Piotr Oliwier Bartosz Mateusz Maciej Paweł Tomasz Krzysztof
Marcin Grzegorz Łukasz Andrzej Rafał Kamil Dawid Damian Dominik Sebastian Patryk Hubert Kuba
Oskar Ignacy Tymon Natan Miłosz Julian Tymoteusz Gabriel Karol Konrad Kajetan Olaf Bruno Fabian
Borys Maksymilian Daniel Dariusz Mariusz Sławomir Zbigniew Jarosław Mirosław Ryszard Jerzy Józef
Tadeusz Waldemar Przemysław Radosław Artur Robert Norbert Cezary Ernest Eryk Błażej Jędrzej Alan
Adrian""",
    "portuguese": """
Francisco João Afonso Duarte Rodrigo Martim Tomás Santiago Miguel Gabriel Guilherme Gonçalo
Lucas Lourenço Pedro Diogo Rafael Salvador Gustavo Dinis Tiago Simão Vicente David Diego José
António Manuel Carlos Luís Paulo Jorge Rui Nuno Ricardo Bruno André Alexandre Hugo Fábio Filipe
Marco Mateus Matheus Felipe Leonardo Thiago Vinícius Enzo Bernardo Artur Arthur Caio Cristiano
Daniel Davi Eduardo Emanuel Fernando Flávio Henrique Igor Isaac Ivo Joaquim Leandro Márcio
Marcelo Mário Nelson Otávio Renato Ruben Samuel Sérgio Valter Vasco Vítor Wesley Xavier Júlio
Ângelo Kauã""",
    "spanish_latin": """
Santiago Mateo Juan_José Sebastián Matías Samuel Alejandro Nicolás Diego Daniel Emiliano Thiago
Martín Juan_Pablo Juan_David Gabriel Andrés Felipe David Lucas Joaquín Carlos Luis José Jorge
Miguel Ángel Javier Fernando Ricardo Eduardo Oscar Rafael Pedro Pablo Manuel Marco Mario Víctor
Hugo Iván Kevin Bryan Jhon Steven Jefferson Cristian Fabián Gustavo Hernán Jaime Julián Leonardo
Mauricio Rodrigo Sergio Tomás Vicente Wilmer Wilson Álvaro Adrián Agustín Alberto Alfonso
Antonio Arturo Benjamín César Edison Edwin Emilio Enrique Ernesto Esteban Francisco Germán
Gonzalo Guillermo Héctor Ignacio Isaac Maximiliano""",
    "chinese": """
Zi_Hao Yu_Xuan Hao_Yu Zi_Han Jun_Jie Wei Jian_Guo Ming_Hao Jia_Hao Yi_Chen Zhi_Wei Xiao_Ming
Hao_Ran Jun Lei Qiang Tao Bin Peng Chao Jian Guo_Qiang Wai_Ming Ka_Ho Chun_Hei Lok_Hei Tsz_Hin
Ho_Yin Wing_Hong Chi_Keung Yi_Fan Ze_Yu Bo_Wen Tian_Yu Rui_Lin Kai Long Shao_Feng Jing_Xuan""",
    "vietnamese": """
Minh Anh Tuan Hung Dung Long Nam Huy Khanh Duc Quan Bao Phuc Khoa Thanh Son Hai Hoang Cuong Tien
Binh Dat Duy Giang Hieu Khai Kien Lam Loc Nghia Nhan Phong Quang Sang Tai Tam Thang Thinh Toan
Trung Tung Viet Vinh Vuong""",
    "turkish": """
Yusuf Eymen Alparslan Ömer Mustafa Ahmet Mehmet Emir Hamza Miraç Ali Hasan Hüseyin İbrahim Kerem
Can Cem Deniz Ege Eren Ertuğrul Faruk Furkan Gökhan Halil İsmail Kaan Kemal Levent Mert Metin
Murat Onur Oğuz Özgür Poyraz Ramazan Recep Selim Serkan Şahin Tolga Umut Ümit Yiğit Yılmaz Baran
Azad Berat Welat""",
    "ukrainian": """
Oleksandr Maksym Artem Dmytro Matvii Mykhailo Andrii Ivan Danylo Bohdan Vladyslav Denys Nazar
Yaroslav Serhii Volodymyr Vasyl Petro Yurii Oleh Ihor Viktor Mykola Roman Taras Ostap Tymofii
Kyrylo Yehor Mark Davyd Illia Stanislav Pavlo Hryhorii Anton Vitalii Ruslan Stepan Zakhar""",
}

# Given names that were common in England when today's parents were born (1980 to 2000).
PARENTS: Final[dict[str, str]] = {
    "f": """
Sarah Laura Emma Rebecca Gemma Rachel Claire Charlotte Victoria Samantha Amy Jessica Hannah Lauren
Katie Lucy Sophie Natalie Kelly Lisa Jennifer Michelle Nicola Stephanie Danielle Louise Chloe Emily
Kirsty Stacey Hayley Zoe Joanne Helen Catherine Katherine Kimberley Leanne Alice Anna Holly Megan
Melissa Natasha Elizabeth Kerry Jade Kate Lindsay Donna Naomi Abigail Georgina Harriet Eleanor
Tracey Karen Alexandra Francesca Carly Frances Ruth Vicky Heather Sally Bethany Rosie Grace Olivia
Clare Philippa Joanna Tanya Cheryl Lorraine Amanda Andrea Jodie Leah Rhiannon Siobhan Gillian
Sian""",
    "m": """
Christopher James David Daniel Michael Matthew Andrew Richard Paul Mark Thomas Adam Robert John Lee
Benjamin Steven Jonathan Craig Stephen Simon Nicholas Peter Anthony Alexander Gary Ian Ryan Darren
Barry Joseph Martin Stuart Luke Samuel Jamie Kevin Sean William Philip Scott Joshua Jack Edward
Timothy Carl Gareth Dean Ashley Aaron Nathan Patrick Oliver Liam Dominic Neil Alan Graham Russell
Ross Wayne George Shaun Jordan Kieran Charles Marcus Jason Karl Gavin Leon Damian Henry Tom Robin
Duncan Keith Nigel Howard Glenn""",
}
