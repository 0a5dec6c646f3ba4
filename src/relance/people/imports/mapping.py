"""Which column fills which field: guessed from the names in French and English, remembered for files with the same header."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from ..catalogue import FieldSpec, Subject, fields_of
from ..models import ImportMapping

NAMES = {
    "email": "email,mail,courriel,adresse email,adresse mail,adresse electronique,email address,work email,email professionnel",
    "salutation": "salutation,civilite,titre civilite,civ,title prefix",
    "first_name": "first name,firstname,given name,prenom,prenoms,forename",
    "last_name": "last name,lastname,surname,family name,nom,nom de famille,name last",
    "job_title": "job title,title,position,role,fonction,poste,titre,intitule de poste,job",
    "company_name": "company,company name,organisation,organization,societe,entreprise,raison sociale,account,account name,compte,nom du compte",
    "phone": "phone,telephone,tel,phone number,numero de telephone,telephone fixe,work phone,business phone,tel fixe",
    "mobile_phone": "mobile,mobile phone,cell,cell phone,portable,telephone portable,telephone mobile,gsm",
    "website": "website,web site,site,site web,url,site internet",
    "street": "street,address,adresse,rue,address line 1,street address,mailing street",
    "postal_code": "postal code,postcode,zip,zip code,code postal,cp,mailing postal code",
    "city": "city,town,ville,commune,mailing city",
    "state": "state,region,province,departement,state province,mailing state",
    "country": "country,pays,mailing country",
    "language": "language,langue,preferred language",
    "lead_source": "lead source,source,origine,source de la piste,provenance",
    "status": "status,statut,lead status,etat",
    "score": "score,lead score,note",
}
_KNOWN = {name: key for key, names in NAMES.items() for name in names.split(",")}


def guess_mapping(header: Sequence[str]) -> list[str]:
    """A field key a column, empty where nobody can tell; what was chosen for this very header last time comes first."""
    fields = fields_of(Subject.PERSON)
    known = (
        _KNOWN
        | {_plain(str(field.label)): field.key for field in fields}
        | {_plain(field.key): field.key for field in fields}
    )
    remembered = ImportMapping.objects.filter(signature=signature_of(header)).values_list("mapping", flat=True).first()
    if remembered and len(remembered) == len(header):
        live = {field.key for field in fields}
        return [key if key in live else "" for key in remembered]
    used: set[str] = set()
    mapping = []
    for name in header:
        key = known.get(_plain(name), "")
        mapping.append("" if key in used else key)
        used.add(key)
    return mapping


def remember_mapping(header: Sequence[str], mapping: Sequence[str], *, now: datetime) -> None:
    """Keep the choice for the next file with these columns."""
    kept = {"mapping": list(mapping), "used_at": now}
    ImportMapping.objects.update_or_create(signature=signature_of(header), defaults=kept)


def check_mapping(header: Sequence[str], mapping: Sequence[str], *, without_email: bool) -> list[str]:
    """What stands against a mapping, in sentences; nothing when it will do."""
    fields = {field.key: field for field in fields_of(Subject.PERSON)}
    chosen = [key for key in mapping if key]
    found = []
    if len(mapping) != len(header):
        found.append(
            _("The mapping has %(found)s columns and the file %(expected)s.")
            % {"found": len(mapping), "expected": len(header)}
        )
    if not chosen:
        found.append(_("Choose a field for at least one column."))
    for key in chosen:
        if key not in fields:
            found.append(_("There is no field “%(field)s” any more: choose another.") % {"field": key})
    for key, times in Counter(chosen).items():
        if times > 1 and key in fields:
            found.append(_("Several columns fill “%(field)s”: choose one of them.") % {"field": fields[key].label})
    if "email" not in chosen and not without_email:
        found.append(_("No column holds the e-mail address: map it, or allow people without one."))
    return found


def signature_of(header: Sequence[str]) -> str:
    """One text for files with the same columns."""
    return hashlib.sha256(json.dumps([_plain(name) for name in header]).encode()).hexdigest()


def mapped_fields(mapping: Sequence[str]) -> list[tuple[int, FieldSpec]]:
    """The columns in use, with their fields."""
    fields = {field.key: field for field in fields_of(Subject.PERSON)}
    return [(place, fields[key]) for place, key in enumerate(mapping) if key in fields]


def _plain(name: str) -> str:
    """Lower case, without accents and signs."""
    letters = unicodedata.normalize("NFKD", name.lower())
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"\be mail\b", "email", " ".join(re.findall(r"[a-z0-9]+", bare)))
