"""Names of an inner-London population, by ONS ethnic group: common names from public baby-name and
census lists, and alternative spellings.
"""

from typing import Final

GROUPS: Final = ("asian", "black", "mixed", "white", "other")

GIRLS: Final = {
    "asian": (
        """Aisha Fatima Maryam Zainab Ayesha Khadija Amina Hafsa Sara Noor Priya Ananya
      Diya Aanya Kavya Riya Mei Ling Xin Yi Jia Hana Sana Iqra Zara Inaya Anaya Safa
      Aaliyah Nadia Rumana Sumaiya Tahmina Nusrat Farhana Meera Lakshmi Tanvi"""
    ),
    "black": (
        """Amara Adaeze Chioma Ngozi Ifeoma Temitope Folake Yetunde Abena Akosua Efua Adwoa
      Ama Naomi Ruth Esther Grace Destiny Imani Aaliyah Zuri Hodan Ayaan Fadumo Hamdi
      Sagal Nimo Ikram Tiana Shanice Kezia Tamara Blessing Precious Miriam Deborah
      Kehinde Taiwo Bintou Mariama Fatou Aminata"""
    ),
    "mixed": (
        """Maya Amelie Layla Lola Skye Nia Isla Jasmine Leila Amaya Zara Mila Ella Sienna Ruby Aria Luna Thea Kiara Anais
      Elise Naomi Talia Esme Inez Yasmin Aurora Freya Alicia Bella"""  # noqa: E501
    ),
    "white": (
        """Olivia Amelia Isla Ava Mia Ivy Lily Isabella Rosie Sophia Grace Willow Freya
      Florence Emily Ella Poppy Evie Charlotte Evelyn Daisy Phoebe Sofia Alice Sienna
      Matilda Maria Zofia Julia Hanna Anna Beatriz Mariana Ines Leonor Carolina Giulia
      Martina Chloe Camille Niamh Aoife Siobhan Harriet Martha Eliza Beatrice"""
    ),
    "other": (
        """Valentina Camila Luciana Isabela Gabriela Maryam Leila Yasmin Shirin Parisa
      Zeynep Elif Defne Azra Noor Hala Rania Salma Lina Dina Selam Hiwot Bethlehem
      Luwam Samira Rahma Thais Larissa Milagros Ximena"""
    ),
}
BOYS: Final = {
    "asian": (
        """Muhammad Ali Hassan Ibrahim Yusuf Ahmed Omar Zain Hamza Bilal Abdullah Ayaan
      Arjun Aarav Vihaan Rohan Ishaan Dev Wei Jun Hao Ming Kai Taha Musa Idris Rayyan
      Zakariya Tariq Imran Faisal Rafiq Shahid Nabil Karthik Aditya Krish"""
    ),
    "black": (
        """Chidi Emeka Obinna Chukwuemeka Oluwaseun Babatunde Ayodele Kwame Kofi Kwabena
      Yaw Kojo Malachi Elijah Isaiah Josiah Caleb Nathaniel Jaden Tyrell Andre Marcus
      Mohamed Abdi Abdirahman Liban Ayub Zakaria Emmanuel Samuel Daniel David Joshua
      Gabriel Kehinde Taiwo Mamadou Ousmane Ibrahima Alpha Sekou"""
    ),
    "mixed": (
        """Noah Leo Kai Luca Theo Elijah Isaac Zion Rio Jayden Marley Reuben Ezra Jude Milo Rafael Sebastian Hugo Xavier Dylan
      Nathan Roman Felix Otis Rowan Jonah Cassius Tobias Bodhi Levi"""  # noqa: E501
    ),
    "white": (
        """George Oliver Noah Arthur Harry Leo Jack Charlie Oscar Jacob Henry Thomas
      Freddie Alfie Theo William Archie Joshua Alexander James Edward Max Lucas Jan
      Jakub Antoni Szymon Joao Tiago Diogo Rodrigo Lorenzo Matteo Louis Hugo Sean Finn
      Cillian Edmund Rupert Stanley Wilfred"""
    ),
    "other": (
        """Mateo Santiago Thiago Emiliano Nicolas Omar Karim Amir Reza Darius Emir Yusuf Kerem Mert Adam Bilal Sami Rami Tarek
      Nahom Abel Yonas Dawit Samuel Joao Miguel Davi Enzo Luan Jose"""  # noqa: E501
    ),
}
SURNAMES: Final = {
    "asian": (
        """Khan Ahmed Ali Hussain Begum Patel Singh Shah Rahman Chowdhury Islam Uddin Miah
      Malik Iqbal Akhtar Sharma Gupta Kaur Chen Li Wang Zhang Wong Nguyen Tran Hossain
      Sheikh Mahmood Aziz Qureshi Mirza Siddiqui Bhatt Desai Mehta Reddy Nair Perera
      Fernando Kumar Das Roy Begum Khatun Sultana Bibi Chaudhry Raja Butt"""
    ),
    "black": (
        """Okafor Adeyemi Okonkwo Eze Nwosu Balogun Adebayo Ogunleye Mensah Owusu Boateng
      Asante Osei Agyemang Addo Campbell Williams Brown Clarke Johnson Francis Grant
      Gordon Reid Morgan Mohamed Abdi Hassan Warsame Farah Omar Jama Diallo Bah Barry
      Sow Kamara Sesay Conteh Bangura Ndiaye Traore Mukasa Okello Banda Moyo Ncube
      Tekle Adewale Afolabi Oyelaran Nkrumah Appiah Amoah Antwi"""
    ),
    "mixed": (
        """Campbell-Smith Brown Taylor Okafor-Jones Martin Lewis Da-Silva Robinson Thomas
      Scott Mensah-Clarke Walker Green Hall Patel-Jones King Young Allen Wright Silva
      Adams Carter Bailey Joseph Charles Edwards Khan-Taylor Phillips Rowe Fraser
      Bennett Cole Palmer Hughes"""
    ),
    "white": (
        """Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson
      Evans Walker White Roberts Green Hall Wood Jackson Clarke O'Brien Murphy Kelly
      O'Connor Walsh Byrne Kowalski Nowak Wisniewski Silva Santos Ferreira Pereira
      Costa Rodrigues Rossi Ferrari Esposito Martin Bernard Dubois Popescu Ionescu
      Ivanov Petrov Harris Cooper King Baker Turner Phillips Mitchell Parker Cook Bell
      Ward Watson Morris Price Hughes Lloyd-Hughes Ashworth Fairclough Pemberton"""
    ),
    "other": (
        """Garcia Rodriguez Gonzalez Lopez Martinez Perez Sanchez Ramirez Torres Flores
      Gomez Diaz Vargas Castillo Romero Hosseini Ahmadi Rezaei Karimi Yilmaz Kaya
      Demir Celik Haddad Khoury Mansour Nasser Tesfaye Bekele Haile Gebre Alves
      Oliveira Souza Lima Barbosa Al-Hassan El-Amin Abdallah"""
    ),
}
SPELLINGS: Final = (
    ("Muhammad", "Mohammed", "Mohamed", "Mohammad", "Muhammed"),
    ("Aisha", "Aysha", "Ayesha", "Aishah"),
    ("Maryam", "Mariam", "Miriam", "Maryum"),
    ("Fatima", "Fatimah", "Fatma"),
    ("Yusuf", "Yousef", "Youssef", "Yusef"),
    ("Ibrahim", "Ebrahim", "Ibraheem"),
    ("Hussain", "Hussein", "Husain", "Hossain"),
    ("Chowdhury", "Choudhury", "Chaudhry", "Chowdhry"),
    ("Ahmed", "Ahmad", "Ahmet"),
    ("Zainab", "Zaynab", "Zeinab"),
    ("Abdirahman", "Abdurrahman", "Abdul Rahman"),
    ("Sophia", "Sofia", "Zofia"),
    ("Oluwaseun", "Seun"),
    ("Chukwuemeka", "Emeka"),
    ("Isabella", "Isabela", "Izabella"),
    ("Jose", "José"),
    ("Joao", "João"),
    ("Siobhan", "Siobhán"),
)
NICKNAMES: Final = {
    "Thomas": "Tom",
    "William": "Will",
    "Joshua": "Josh",
    "Samuel": "Sam",
    "Daniel": "Dan",
    "Alexander": "Alex",
    "Charlotte": "Lottie",
    "Matilda": "Tilly",
    "Isabella": "Bella",
    "Nathaniel": "Nate",
    "Elizabeth": "Lizzie",
    "Gabriel": "Gabe",
    "Beatrice": "Bea",
    "Frederick": "Freddie",
    "Benjamin": "Ben",
    "Oluwaseun": "Seun",
    "Evelyn": "Evie",
    "Emmanuel": "Manny",
    "Abdirahman": "Abdi",
}
SHARES: Final = {"asian": 0.08, "black": 0.34, "mixed": 0.17, "white": 0.33, "other": 0.08}
