"""The names Hexalis's invented world is made of."""

from __future__ import annotations

FIRST_NAMES = ["Camille", "Léa", "Manon", "Chloé", "Inès", "Sarah", "Juliette", "Louise", "Aïcha", "Claire", "Sophie", "Nathalie", "Isabelle", "Valérie", "Céline", "Aurélie", "Émilie", "Hélène", "Margaux", "Anaïs", "Fatima", "Nadia", "Mélanie", "Laëtitia", "Élodie", "Delphine", "Caroline", "Charlotte", "Pauline", "Marine", "Thomas", "Nicolas", "Julien", "Pierre", "Antoine", "Maxime", "Alexandre", "Guillaume", "François", "Laurent", "Philippe", "Olivier", "Stéphane", "Christophe", "Frédéric", "Sébastien", "Mathieu", "Romain", "Hugo", "Lucas", "Karim", "Mehdi", "Youssef", "Mamadou", "Étienne", "Benoît", "Jérôme", "Rémi", "Cédric", "Gaëtan", "Yann", "Loïc", "Arnaud", "Bertrand"]
LAST_NAMES = ["Martin", "Bernard", "Dubois", "Thomas", "Robert", "Richard", "Petit", "Durand", "Leroy", "Moreau", "Simon", "Laurent", "Lefebvre", "Michel", "Garcia", "David", "Bertrand", "Roux", "Vincent", "Fournier", "Morel", "Girard", "André", "Lefèvre", "Mercier", "Dupont", "Lambert", "Bonnet", "François", "Martinez", "Legrand", "Garnier", "Faure", "Rousseau", "Blanc", "Guérin", "Muller", "Henry", "Roussel", "Nicolas", "Perrin", "Morin", "Mathieu", "Clément", "Gauthier", "Dumont", "Lopez", "Fontaine", "Chevalier", "Robin", "Masson", "Sanchez", "Gérard", "Nguyen", "Boyer", "Denis", "Lemaire", "Duval", "Joly", "Gautier", "Roger", "Roche", "Roy", "Noël", "Meyer", "Lucas", "Meunier", "Jean", "Perez", "Marchand", "Dufour", "Blanchard", "Marie", "Barbier", "Brun", "Dumas", "Brunet", "Schmitt", "Leroux", "Colin", "Fernandez", "Benali", "Traoré", "Diallo", "Haddad", "Cohen", "Le Gall", "Kerboul", "de Villeneuve", "Le Goff", "Da Silva", "Ferreira", "O’Connor", "Saint-Martin"]
FOREIGN = {
    "Allemagne": (
        ("Berlin", "10115"),
        ("München", "80331"),
        ("Köln", "50667"),
        "Anna|Lukas|Jürgen|Katrin",
        "Müller|Weiß|Schäfer|Krüger",
    ),
    "Belgique": (
        ("Bruxelles", "1000"),
        ("Liège", "4000"),
        ("Gent", "9000"),
        "Lotte|Pieter|Elke|Maxim",
        "Peeters|Janssens|Lambrecht|Maes",
    ),
    "Suisse": (
        ("Genève", "1201"),
        ("Lausanne", "1003"),
        ("Zürich", "8001"),
        "Reto|Ursina|Beat|Nina",
        "Keller|Favre|Rochat|Baumann",
    ),
    "Espagne": (
        ("Madrid", "28001"),
        ("Barcelona", "08001"),
        ("Bilbao", "48001"),
        "Lucía|Íñigo|Marta|Raúl",
        "García|Ibáñez|Núñez|Peña",
    ),
    "Italie": (
        ("Milano", "20121"),
        ("Torino", "10121"),
        ("Bologna", "40121"),
        "Elena|Matteo|Chiara|Luca",
        "Rossi|Bianchi|Conti|D’Angelo",
    ),
}
CITIES = (
    ("Paris", "75008"), ("Paris", "75012"), ("Nanterre", "92000"), ("Boulogne-Billancourt", "92100"), ("Saint-Denis", "93200"),
    ("Créteil", "94000"), ("Versailles", "78000"), ("Évry-Courcouronnes", "91000"), ("Lyon", "69003"), ("Villeurbanne", "69100"),
    ("Grenoble", "38000"), ("Saint-Étienne", "42000"), ("Marseille", "13002"), ("Aix-en-Provence", "13100"), ("Nice", "06000"),
    ("Montpellier", "34000"), ("Toulouse", "31000"), ("Blagnac", "31700"), ("Bordeaux", "33000"), ("Nantes", "44000"),
    ("Rennes", "35000"), ("Brest", "29200"), ("Angers", "49000"), ("Tours", "37000"), ("Orléans", "45000"), ("Lille", "59000"),
    ("Roubaix", "59100"), ("Amiens", "80000"), ("Rouen", "76000"), ("Le Havre", "76600"), ("Caen", "14000"), ("Reims", "51100"),
    ("Metz", "57000"), ("Nancy", "54000"), ("Strasbourg", "67000"), ("Mulhouse", "68100"), ("Dijon", "21000"), ("Besançon", "25000"),
    ("Clermont-Ferrand", "63000"), ("Limoges", "87000"), ("Oyonnax", "01100"), ("Cholet", "49300"),
)  # fmt: skip
STREETS = ["rue de la République", "avenue Jean-Jaurès", "rue des Forges", "boulevard Victor-Hugo", "zone industrielle Nord", "rue de l’Industrie", "quai des Chartrons", "allée des Tilleuls", "rue Gambetta", "chemin du Moulin", "parc d’activités des Érables", "rue Louis-Pasteur"]
COMPANY_STEMS = ["Aldéa", "Valmont", "Sérignac", "Brévane", "Mécalor", "Plastiform", "Fonderies du Rhône", "Ateliers Vernier", "Groupe Hautbois", "Logis’Ouest", "Thermélec", "Carrières Dumas", "Biolance", "Pharmadel", "Nutrival", "Les Moulins Perrot", "Transports Bessière", "Aérolys", "Cryotec", "Optivia", "Novabloc", "Sidérance", "Verreries Lemoine", "Papeteries Arnoux", "Imprimerie Castel", "Électrim", "Hydrosud", "Menuiseries Kerboul", "Cabinet Orsel", "Studio Larrieu", "Assurances Monval", "Crédit Armor", "Coopérative Val d’Yerres", "Énergies Cévennes", "Soudalp", "Robotique Sillon", "Textiles Gambier", "Chimex", "Conserveries Belmer", "Domaines Achard"]
COMPANY_ENDS = ["Industries", "Services", "Ingénierie", "France", "Distribution", "Solutions", "Groupe", "et Fils", "Technologies", "Participations", "Sud-Ouest", "Rhône-Alpes", "Nord", "International", "Atlantique"]
LEGAL_FORMS = ("", "", " SA", " SAS", " SARL")
TITLES = {
    "Direction": "Directrice générale|Directeur des opérations|Directrice des achats|Directeur financier|DSI|Président",
    "Responsable": "Responsable qualité|Responsable maintenance|Responsable achats|Responsable méthodes|Responsable informatique",
    "Chef de projet": "Cheffe de projet BIM|Chef de projet SI|Chargée de projet|Ingénieur d’affaires",
    "Utilisateur": "Acheteuse|Technicien de maintenance|Ingénieure qualité|Assistant de direction|Contrôleur de gestion",
}
INDUSTRIES = ["Agroalimentaire", "Automobile", "Aéronautique", "Banque et assurance", "BTP", "Chimie", "Distribution", "Énergie", "Ingénierie", "Logistique", "Pharmacie", "Plasturgie", "Secteur public", "Services", "Technologie"]
SOURCES = ["Site web", "Salon", "Webinaire", "Recommandation", "Appel entrant", "Liste achetée", "Partenaire"]
INTERESTS = ["Hexalis Achats", "Hexalis Qualité", "Hexalis Maintenance", "Hexalis BIM", "Conseil"]
CAMPAIGNS = ["Salon Global Industrie 2026", "Webinaire maintenance prédictive", "Livre blanc achats responsables", "Petit-déjeuner qualité Lyon", "Relance essais gratuits", "Infolettre de rentrée"]
REFUSALS = ["Pas de budget", "Pas de projet", "Concurrent", "Injoignable", "Hors cible"]
EVENTS = {
    "Salon": "Salon Global Industrie 2026|Salon Achats et Territoires",
    "Webinaire": "Webinaire maintenance prédictive|Webinaire traçabilité|Webinaire BIM pas à pas",
    "Petit-déjeuner": "Petit-déjeuner qualité Lyon|Petit-déjeuner directeurs achats",
    "Formation": "Prise en main Hexalis|Administrer Hexalis",
}
USERS = (
    # first name, last name, title, profile, active
    ("Claire", "Vasseur", "Administratrice CRM", "System Administrator", True),
    ("Julien", "Morel", "Commercial Île-de-France", "Commercial Hexalis", True),
    ("Amandine", "Leroy", "Commerciale BIM", "Commercial Hexalis", True),
    ("Sofiane", "Benali", "Commercial régions", "Commercial Hexalis", True),
    ("Elena", "Rossi", "Commerciale Europe", "Commercial Hexalis", True),
    ("Marc", "Delcourt", "Directeur commercial", "Commercial Hexalis", True),
    ("Bastien", "Girard", "Commercial", "Commercial Hexalis", False),
)
