"""The rows of Hexalis's org: the same people at each run, their dates counted back from a given day."""

from __future__ import annotations

import csv
import random
import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from relance.sandbox.demo_names import (
    CAMPAIGNS,
    CITIES,
    COMPANY_ENDS,
    COMPANY_STEMS,
    EVENTS,
    FIRST_NAMES,
    FOREIGN,
    INDUSTRIES,
    INTERESTS,
    LAST_NAMES,
    LEGAL_FORMS,
    REFUSALS,
    SOURCES,
    STREETS,
    TITLES,
    USERS,
)

SEED = 20260104
LEADS, CONTACTS, COMPANIES, LICENCES, EVENTS_HELD = 2000, 1500, 400, 620, 900
CONVERTED = 70
DAYS = 730
LANGUAGES = {"Allemagne": "de", "Espagne": "es", "Italie": "it"}

Row = dict[str, str]


def write_demo_data(folder: Path, today: date) -> dict[str, int]:
    """Writes one CSV file per object, in the order they have to be loaded."""
    folder.mkdir(parents=True, exist_ok=True)
    world = _World(today)
    files = {
        "01-User": world.users(),
        "02-PermissionSetAssignment": world.assignments(),
        "03-Account": world.companies(),
        "04-Contact": world.contacts(),
        "05-Lead": world.leads(),
        "06-Licence__c": world.licences(),
        "07-Evenement__c": world.events(),
    }
    for name, rows in files.items():
        _write(folder / f"{name}.csv", rows)
    return {name.partition("-")[2]: len(rows) for name, rows in files.items()}


def _write(file: Path, rows: Sequence[Row]) -> None:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


class _World:
    def __init__(self, today: date) -> None:
        self.chance = random.Random(SEED)  # noqa: S311 - a demo wants the same people each time, not secrets
        self.end = datetime.combine(today, time(0), UTC)
        self.known_companies: list[Row] = []
        self.known_contacts: list[Row] = []
        self.addresses: set[str] = set()

    def users(self) -> list[Row]:
        rows: list[Row] = []
        for first, last, title, profile, active in USERS:
            address = f"{_ascii(first)}.{_ascii(last)}@hexalis.example"
            rows.append(
                {
                    "Username": address,
                    "FirstName": first,
                    "LastName": last,
                    "Alias": (_ascii(first)[0] + _ascii(last))[:8],
                    "CommunityNickname": f"{_ascii(first)}.{_ascii(last)}",
                    "Email": address,
                    "Title": title,
                    "Profile.Name": profile,
                    "IsActive": "true" if active else "false",
                }
            )
        return rows

    def assignments(self) -> list[Row]:
        assignee, granted = "relance.integration@sandbox.example", "Relance_Integration"
        return [{"Assignee.Username": assignee, "PermissionSet.Name": granted, "IsActive": "true"}]

    def companies(self) -> list[Row]:
        names = [f"{stem} {end}" for stem in COMPANY_STEMS for end in COMPANY_ENDS]
        self.chance.shuffle(names)
        for number, name in enumerate(names[:COMPANIES], start=1):
            country, city, postcode = self._place()
            staff = int(10 ** self.chance.uniform(0.8, 3.8))
            created, changed = self._stamps()
            self.known_companies.append(
                {
                    "Code_Client__c": f"C-{number:05d}",
                    "Name": name + self.chance.choice(LEGAL_FORMS),
                    "Type": self.chance.choices(("Client", "Prospect", "Partenaire", "Ancien client"), (6, 3, 1, 1))[0],
                    "Industry": self._maybe(0.92, self.chance.choice(INDUSTRIES)),
                    "NumberOfEmployees": str(staff),
                    "AnnualRevenue": self._maybe(0.7, str(staff * self.chance.randint(60, 220) * 1000)),
                    "Segment__c": _segment(staff),
                    "Siret__c": self._maybe(0.6, "".join(self.chance.choices("0123456789", k=14)), country == "France"),
                    "Website": f"https://www.{_ascii(name)}.example",
                    "Phone": self._maybe(0.85, self._phone(country)),
                    "BillingStreet": f"{self.chance.randint(1, 180)} {self.chance.choice(STREETS)}",
                    "BillingPostalCode": postcode,
                    "BillingCity": city,
                    "BillingCountry": country,
                    "Owner.Username": self._owner(),
                    "CreatedDate": created,
                    "LastModifiedDate": changed,
                }
            )
        return self.known_companies

    def contacts(self) -> list[Row]:
        for number in range(1, CONTACTS + 1):
            company = self.chance.choice(self.known_companies)
            row = self._person(company["BillingCountry"], _domain(company["Website"]))
            row |= {
                "Numero_Contact__c": f"P-{number:06d}",
                "Account.Code_Client__c": company["Code_Client__c"],
                "Department": self._maybe(0.4, self.chance.choice(("Achats", "Qualité", "Production", "Informatique"))),
                "MailingStreet": company["BillingStreet"],
                "MailingPostalCode": company["BillingPostalCode"],
                "MailingCity": company["BillingCity"],
                "MailingCountry": company["BillingCountry"],
                "Est_Decideur__c": "true" if row["Niveau_Poste__c"] == "Direction" else "false",
                "Satisfaction__c": self._maybe(0.4, str(self.chance.randint(30, 100))),
                "Owner.Username": company["Owner.Username"],
            }
            self.known_contacts.append(row)
        return self.known_contacts

    def leads(self) -> list[Row]:
        rows = [self._lead() for _number in range(LEADS)]
        converted, shared, twins, disqualified = self._shares(rows)
        for row, contact in zip(converted, self.known_contacts, strict=False):
            self._convert(row, contact)
        for row in shared:
            row["Email"] = self.chance.choice(self.known_contacts[CONVERTED:])["Email"]
        for one, other in zip(twins[::2], twins[1::2], strict=True):
            other["Email"] = one["Email"]
        for row in disqualified:
            row |= {"Status": "Disqualifié", "Raison_Disqualification__c": self.chance.choice(REFUSALS)}
        return rows

    def licences(self) -> list[Row]:
        clients = [company for company in self.known_companies if company["Type"] in ("Client", "Ancien client")]
        rows: list[Row] = []
        for _number in range(LICENCES):
            company = self.chance.choice(clients)
            begins = self.end.date() - timedelta(days=self.chance.randint(20, 720))
            ends = begins + timedelta(days=365)
            ended = "Résiliée" if company["Type"] == "Ancien client" else "Expirée"
            seats = self.chance.choice((5, 10, 10, 25, 50, 100, 250))
            created = _stamp(datetime.combine(begins, time(9), UTC))
            rows.append(
                {
                    "Compte__r.Code_Client__c": company["Code_Client__c"],
                    "Produit__c": self.chance.choice(INTERESTS[:4]),
                    "Nb_Postes__c": str(seats),
                    "Montant_Annuel__c": f"{seats * self.chance.randint(90, 240)}.00",
                    "Date_Debut__c": begins.isoformat(),
                    "Date_Fin__c": ends.isoformat(),
                    "Statut__c": ended if ends < self.end.date() else "Active",
                    "CreatedDate": created,
                    "LastModifiedDate": created,
                }
            )
        return rows

    def events(self) -> list[Row]:
        rows: list[Row] = []
        for _number in range(EVENTS_HELD):
            kind = self.chance.choice(tuple(EVENTS))
            held = self.end - timedelta(days=self.chance.randint(1, DAYS), hours=-self.chance.choice((8, 9, 13, 15)))
            created = held - timedelta(days=self.chance.randint(2, 30))
            rows.append(
                {
                    "Name": self.chance.choice(EVENTS[kind].split("|")),
                    "Contact__r.Numero_Contact__c": self.chance.choice(self.known_contacts)["Numero_Contact__c"],
                    "Type__c": kind,
                    "Date__c": _stamp(held),
                    "Participation__c": self.chance.choices(("Présent", "Inscrit", "Absent"), (6, 3, 2))[0],
                    "Duree_Minutes__c": self.chance.choice(("45", "60", "90", "240")),
                    "Heure_Arrivee__c": self._maybe(
                        0.3, f"{self.chance.randint(8, 15):02d}:{self.chance.randint(0, 59):02d}:00"
                    ),
                    "Owner.Username": self._owner(),
                    "CreatedDate": _stamp(created),
                    "LastModifiedDate": _stamp(min(held, self.end - timedelta(hours=1))),
                }
            )
        return rows

    def _lead(self) -> Row:
        country, city, postcode = self._place()
        company = f"{self.chance.choice(COMPANY_STEMS)} {self.chance.choice(COMPANY_ENDS)}"
        row = self._person(country, f"{_ascii(company)}.example")
        queued = self.chance.random() < 0.12
        row |= {
            "Company": company,
            "Status": self.chance.choices(("Nouveau", "En cours", "Qualifié"), (5, 4, 2))[0],
            "Industry": self._maybe(0.6, self.chance.choice(INDUSTRIES)),
            "NumberOfEmployees": self._maybe(0.6, str(int(10 ** self.chance.uniform(0.7, 3.8)))),
            "Street": self._maybe(0.5, f"{self.chance.randint(1, 180)} {self.chance.choice(STREETS)}"),
            "PostalCode": self._maybe(0.8, postcode),
            "City": self._maybe(0.85, city),
            "Country": country,
            "Nb_Licences_Souhaitees__c": self._maybe(0.4, str(self.chance.choice((5, 10, 25, 50, 100)))),
            "Budget_Estime__c": self._maybe(0.25, f"{self.chance.randint(2, 90) * 1000}.00"),
            "Date_Premier_Contact__c": row["CreatedDate"][:10],
            "Est_Partenaire__c": "true" if self.chance.random() < 0.05 else "false",
            "Owner.Username": "" if queued else self._owner(),
            "Owner.DeveloperName": self.chance.choice(("Prospects_Entrants", "Grands_Comptes")) if queued else "",
        }
        return row

    def _shares(self, rows: list[Row]) -> tuple[list[Row], list[Row], list[Row], list[Row]]:
        """Some leads are converted, some share their address with a contact, some with another lead, some are given up."""
        mixed = list(rows)
        self.chance.shuffle(mixed)
        addressed = [row for row in mixed if row["Email"]]
        cuts = (CONVERTED, CONVERTED + 24, CONVERTED + 24 + 16)
        taken = {id(row) for row in addressed[: cuts[2]]}
        rest = [row for row in mixed if id(row) not in taken]
        return addressed[: cuts[0]], addressed[cuts[0] : cuts[1]], addressed[cuts[1] : cuts[2]], rest[:180]

    def _convert(self, row: Row, contact: Row) -> None:
        for name in ("FirstName", "LastName", "Salutation", "Email"):
            row[name] = contact[name]
        row |= {
            "Status": "Converti",
            "IsConverted": "true",
            "ConvertedDate": contact["CreatedDate"][:10],
            "ConvertedContact.Numero_Contact__c": contact["Numero_Contact__c"],
            "ConvertedAccount.Code_Client__c": contact["Account.Code_Client__c"],
            "Owner.Username": contact["Owner.Username"],
            "Owner.DeveloperName": "",
            "LastModifiedDate": max(row["LastModifiedDate"], contact["CreatedDate"]),
        }

    def _person(self, country: str, domain: str) -> Row:
        first, last = self._name(country)
        level = self.chance.choices(tuple(TITLES), (2, 4, 3, 3))[0]
        created, changed = self._stamps()
        consent = self.chance.choices(("Inconnu", "Donné", "Retiré"), (5, 4, 1))[0]
        spoken = consent != "Inconnu"
        return {
            "Salutation": self._maybe(0.8, "Mme" if first[-1] in "aeëé" else "M."),
            "FirstName": self._maybe(0.97, first),
            "LastName": last.upper() if self.chance.random() < 0.06 else last,
            "Title": self._maybe(0.85, self.chance.choice(TITLES[level].split("|"))),
            "Email": self._maybe(0.93, self._address(first, last, domain)),
            "Phone": self._maybe(0.6, self._phone(country)),
            "MobilePhone": self._maybe(0.5, self._phone(country, mobile=True)),
            "LeadSource": self._maybe(0.9, self.chance.choice(SOURCES)),
            "Niveau_Poste__c": level,
            "Interet_Produit__c": self._maybe(0.7, self.chance.choice(INTERESTS)),
            "Source_Origine__c": self._maybe(0.75, self.chance.choice(SOURCES)),
            "Langue__c": self._maybe(0.9, LANGUAGES.get(country, "fr")),
            "Consentement_Email__c": consent,
            "Consentement_Date__c": created if spoken else "",
            "Consentement_Preuve__c": self.chance.choice(("formulaire site", "salon", "courrier")) if spoken else "",
            "Derniere_Campagne__c": self._maybe(0.3, self.chance.choice(CAMPAIGNS)),
            "HasOptedOutOfEmail": "true" if consent == "Retiré" else "false",
            "CreatedDate": created,
            "LastModifiedDate": changed,
        }

    def _name(self, country: str) -> tuple[str, str]:
        if country in FOREIGN and self.chance.random() < 0.7:
            firsts, lasts = FOREIGN[country][3:]
            return self.chance.choice(str(firsts).split("|")), self.chance.choice(str(lasts).split("|"))
        return self.chance.choice(FIRST_NAMES), self.chance.choice(LAST_NAMES)

    def _place(self) -> tuple[str, str, str]:
        if self.chance.random() < 0.86:
            return ("France", *self.chance.choice(CITIES))
        country = self.chance.choice(tuple(FOREIGN))
        city, postcode = self.chance.choice(FOREIGN[country][:3])
        return country, str(city), str(postcode)

    def _address(self, first: str, last: str, domain: str) -> str:
        stem = f"{_ascii(first)}.{_ascii(last)}"
        address, number = f"{stem}@{domain}", 2
        while address in self.addresses:
            address, number = f"{stem}{number}@{domain}", number + 1
        self.addresses.add(address)
        return address

    def _phone(self, country: str, mobile: bool = False) -> str:
        """A number of the ranges that reach nobody, in one of the ways people write them."""
        if country == "Allemagne":
            return f"+49 30 23125{self.chance.randint(100, 999)}"
        if mobile:
            pairs = ["06", "39", "98", f"{self.chance.randint(0, 99):02d}", f"{self.chance.randint(0, 99):02d}"]
        else:
            start = self.chance.choice((("01", "99", "00"), ("02", "61", "91"), ("03", "53", "01"), ("04", "65", "71")))
            pairs = [*start, f"{self.chance.randint(0, 99):02d}", f"{self.chance.randint(0, 99):02d}"]
        national = self.chance.choice((" ", " ", ".", "")).join(pairs)
        return f"+33 {' '.join(pairs)[1:]}" if self.chance.random() < 0.5 else national

    def _owner(self) -> str:
        """Sales people share the records; the one who left still has a few."""
        people = ("thomas.dubreuil", "lea.marchetti", "yanis.belkacem", "nadia.kone", "bastien.girard")
        return self.chance.choices(people, (30, 22, 24, 18, 3))[0] + "@hexalis.example"

    def _stamps(self) -> tuple[str, str]:
        created = self.end - timedelta(seconds=self.chance.randint(86_400, DAYS * 86_400))
        changed = created
        if self.chance.random() < 0.7:
            changed += timedelta(seconds=self.chance.randint(60, int((self.end - created).total_seconds()) - 60))
        return _stamp(created), _stamp(changed)

    def _maybe(self, share: float, value: str, possible: bool = True) -> str:
        return value if self.chance.random() < share and possible else ""


def _segment(staff: int) -> str:
    return "Grand compte" if staff >= 2000 else "ETI" if staff >= 250 else "PME" if staff >= 20 else "TPE"


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _ascii(text: str) -> str:
    """What is left of a name in an address."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain.replace("’", "").replace("'", "")).strip("-")


def _domain(website: str) -> str:
    return website.removeprefix("https://www.")
