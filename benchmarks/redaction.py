"""Personal data planted in sentences, by kind, and harmless sentences that only look like it.

All of it is made up or a published test number: reserved telephone ranges, test cards, documented
examples of keys. ``python benchmarks/redaction.py`` prints the table of docs/redaction.md.
"""

from __future__ import annotations

import re

from opslab.feedback.redaction import redact

REGIONS = ("FR", "GB", "US")
WORD = re.compile(r"\w+")
OWN = {"order": r"\bORD-\d{6}\b"}
AROUND = (
    "It stopped working yesterday. {} Please have a look, nobody answers!",
    "Bonjour, rien ne marche depuis hier ; {} aidez-moi vite svp",
)

# What is written around the datum and, between the bars, the datum itself.
PLANTED = {
    "e-mail": (
        "write to |lea.martin+shop@example.co.uk|.",
        "mon adresse |zoe_l@exemple.fr|,",
        "(|O.Neil-Smith@mail.example.org|)",
    ),
    "e-mail, disguised": (
        "contact |lea.martin (at) example (dot) com| ok",
        "écrivez à |lea[at]example.org| vite",
        "|lea.martin at example dot com| is me",
        "c'est |lea.martin [arobase] exemple [point] fr| voilà",
        "|lea @ example . com| thanks",
    ),
    "link": (
        "see |https://example.com/a?b=c#d|,",
        "voir |www.exemple.fr/compte/4| pour",
        "|http://10.0.0.1:8080/x| is down.",
    ),
    "link without http": (
        "on |myshop.de| it",
        "see |acme-tools.ai| for",
        "voir |boutique.ch/aide| et",
        "at |shop.example.co.uk| and",
        "sur |mon-site.be| aussi",
    ),
    "IPv4 address": (
        "from |203.0.113.42| since",
        "mon IP |198.51.100.7|, oui",
        "IP address is |8.8.4.4|:",
    ),
    "IPv6 address": ("from |2001:db8::8a2e:370:7334| now", "via |2001:db8:0:1:1:1:1:1|, non"),
    "MAC address": ("router |00:1B:44:11:3A:B7| fails", "carte |00-1b-44-11-3a-b8| ok"),
    "IBAN": (
        "to |GB82WEST12345698765432| today",
        "sur |FR1420041010050500013M02606|.",
        "|DE89370400440532013000|",
    ),
    "IBAN, in small letters": (
        "to |gb82west12345698765432| today",
        "|fr1420041010050500013m02606| ok",
    ),
    "IBAN, in groups": (
        "on |FR14 2004 1010 0505 0001 3M02 606| merci",
        "to |gb82 west 1234 5698 7654 32| today",
        "|BE68 5390 0754 7034| avec frais",
        "|DE89-3704-0044-0532-0130-00| bitte",
    ),
    "card": (
        "card |4111111111111111| refused",
        "|5555555555554444|, expired",
        "carte |378282246310005| ok",
    ),
    "card, in groups": (
        "card |4111 1111 1111 1111|.",
        "|5555-5555-5555-4444| refused",
        "carte |3782 822463 10005| ok",
    ),
    "card's check number": ("CVV |737| refused", "cryptogramme : |921| non", "cvc is |4821|."),
    "French social security number": (
        "mon numéro |2 55 08 14 168 025 38| ok",
        "|255081416802538| voilà",
    ),
    "SIRET": ("SIRET |732 829 320 00074|,", "company |73282932000074| is"),
    "SIREN": ("SIREN |732 829 320| oui", "siren : |732829320|.", "RCS Paris |732 829 320| oui"),
    "VAT number": (
        "VAT number |GB999 9999 73| ok",
        "TVA |FR40303265045| svp",
        "invoice for |DE123456789| please",
        "TVA intracommunautaire : |FR 40 303 265 045| oui",
    ),
    "telephone, international": (
        "call |+33 6 39 98 12 34| now",
        "ring |+44 20 7946 0958|.",
        "|+1 212 555 0187| ok",
        "|0033 6 39 98 12 34| ok",
        "|+49 (0)30 23125 000| bitte",
    ),
    "telephone, national": (
        "le |06 39 98 12 34| ce soir",
        "on |020 7946 0958|,",
        "call |(212) 555-0187| please",
        "|0639981234| merci",
        "|07700 900123| thanks",
        "|212-555-0187| thanks",
    ),
    "telephone, with strokes or dots": (
        "au |06/39/98/12/34| merci",
        "au |06.39.98.12.34| ou",
        "|06-39-98-12-34|",
    ),
    "account name": (
        "thanks |@some_user|!",
        "merci |@jean.dupont75| bien",
        "username: |lmartin84| here",
    ),
    "API key": (
        "with |sk_" + "live_4eC39HqLyjWDarjtT1zdp7dc| it",
        "|AKIA" + "IOSFODNN7EXAMPLE| fails",
        "|ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a| leaked",
        "|xoxb-" + "263594206564-FGqddMF8t08v8N7Oq4i57vs1| is",
        "|AIza" + "SyDdI0hCZtE6vySjMm-WEfRq3CPzqKqqsHI| est",
        "api key: |f3a9c1d07b| ok",
        "la clé d'API est |zx81-kk42-pp09| oui",
    ),
    "long token": (
        "I sent |Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5| twice",
        "hash |9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08| ok",
    ),
    "UUID": (
        "user |123e4567-e89b-12d3-a456-426614174000| lost",
        "id |123E4567-E89B-12D3-A456-426614174001|.",
    ),
    "JSON web token": (
        "header |eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P| sent",
    ),
    "user and password of a host": (
        "clone |https://lea:s3cret@git.example.com/x| fails",
        "with |lea:s3cret@db.example.com:5432| it",
        "|ftp://lea:s3cret@ftp.exemple.fr| non",
        "by |root:toor99@localhost| it",
    ),
    "password": (
        "password: |hunter2| fails",
        "mot de passe : |Soleil!2024| refusé",
        "pwd=|tr0ub4dor&3| ok",
        "my password is |Qwerty_99| and",
        "mdp: |azerty| oui",
        "le mot de passe est |chat#noir7| voilà",
        "pass: |x9!kk| no",
        'mot de passe "|Neige77|" refusé',
        "password |Winter2024x| is wrong",
    ),
    "one-time code or PIN": (
        "code |482913| expired",
        "my PIN is |4821| ok",
        "le code de confirmation est |739204|.",
        "OTP: |118 204| ne",
        "verification code |55021| no",
    ),
    "postal address, French": (
        "au |12 rue de la Paix, 75002 Paris| merci",
        "livré |3 bis avenue des Champs-Élysées 75008 PARIS|,",
        "habite |27 boulevard Victor Hugo| depuis",
        "au |8 impasse des lilas 69003 lyon| svp",
        "|45, place du Marché - 67000 Strasbourg|.",
    ),
    "postal address, British or American": (
        "to |221B Baker Street, London NW1 6XE| please",
        "to |1600 Pennsylvania Ave NW, Washington, DC 20500|.",
        "at |10 Elm Road| since",
        "at |742 evergreen terrace, springfield, or 97403| ok",
        "|Flat 4, 18 Grove Lane, Leeds LS6 2AB|.",
    ),
    "passport": (
        "passport number |09AB12345| refused",
        "passeport n° |12CD34567| non",
        "my passport is |533380006|,",
    ),
    "identity card or driving licence": (
        "carte d'identité |880692310285| ok",
        "driving licence |MORGA657054SM9IJ| no",
        "permis de conduire : |12AB34567| oui",
        "driver's license |D1234567| ok",
    ),
    "social security number, US or GB": (
        "SSN |078-05-1120| used",
        "national insurance |AB 12 34 56 C| no",
        "|AB123456C| is mine",
    ),
    "date of birth": (
        "born on |12/03/1984| in",
        "née le |12 mars 1984|,",
        "date of birth: |1984-03-12| ok",
        "DOB |03.12.84| ok",
        "né en |1984| à",
        "born |March 12th, 1984| in",
        "date de naissance : |1er mai 1984|.",
    ),
    "number plate": (
        "voiture |AB-123-CD| garée",
        "number plate |AB12 CDE| towed",
        "immatriculation : |AB 123 CD| oui",
        "plate |7ABC123| ok",
    ),
    "coordinates": (
        "at |48.85837, 2.294481| now",
        "position |51.50072,-0.12462|.",
        "|48°51'29\"N 2°17'40\"E| ok",
    ),
    "wallet": (
        "to |1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa| sent",
        "to |0x52908400098527886E0F7030069857D2E4169EE7| no",
        "|bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq| ok",
    ),
    "IMEI, VIN or serial number": (
        "IMEI |490154203237518| blocked",
        "VIN: |1HGCM82633A004352| ok",
        "serial number |C02XG2JHJG5J| fails",
        "imei : |49-015420-323751-8| oui",
        "numéro de série |F17-3309-K2| non",
    ),
    "BIC or bank account": (
        "BIC |BNPAFRPPXXX| wrong",
        "SWIFT code: |DEUTDEFF| ok",
        "account number |12345678| and",
        "sort code |12-34-56|,",
    ),
    "order number (a pattern of one's own)": ("order |ORD-204551| late", "commande |ORD-000017|."),
    "writer's own name": (
        "my name is |Lea Martin| and",
        "je m'appelle |Zoé de la Tour|,",
        "Kind regards, |Lea Martin|",
        "Cordialement, |Jean-Luc Besson|",
    ),
    "session or cookie": (
        "sessionid=|38afes7a8| ok",
        "PHPSESSID: |r2t5uvjq435r4q7ib3vtdjq120| non",
        "my session id is |77f3b2a9c1|.",
    ),
    "folder with a user's name": (
        r"C:\Users\|lmartin|\Desktop crashes",
        "in /home/|lmartin|/x no",
        "/Users/|lea.martin|/Library ok",
        r"C:\Users\|Lea Martin|\Documents ok",
    ),
}

HARMLESS = (
    "Error 0x80070005 at every start",
    "I scored 20000 30000 and then it froze",
    "Since version 1.2.3.4 nothing loads",
    "v4.18.0.2 is worse than 4.17",
    "Update to 10.0.22.1 broke the widget",
    "It cost 1,299.99 euros and 12.50 for shipping",
    "Prix 1 299,99 € au lieu de 1 499 €",
    "The box is 120x60x75 cm and weighs 12.5 kg",
    "My screen is 1920x1080, or 2560 x 1440 at 144 Hz",
    "Delivered on 12/03/2024 instead of 05/03/2024",
    "Commande du 3 mars 2024 toujours pas reçue",
    "Between 2019-2024 I had no problem",
    "Commit 9fceb02 fixed it, then e83c516 broke it",
    "ISBN 978-0-306-40615-7 is missing from the list",
    "ISBN 0-306-40615-2 as well",
    "It stops at 12:30:45 every day, e.g.this morning",
    "Great app.It works well, etc.Then it froze",
    "node.js and vue.js are not supported in v2.0.1",
    "The script file.py fails, and so does main.cpp",
    "HTTP 404, then error code 1603 and 500",
    "code erreur 80070005 au lancement",
    "Le code postal n'est pas reconnu",
    "The password field is too small",
    "Mon mot de passe est refusé, pourquoi ?",
    "I forgot my password, the reset mail never comes",
    "Password is always wrong after the update",
    "The token expired and login is broken",
    "The session is closed after 5 minutes",
    "Please add a dark mode @ night",
    "We met @10am and it crashed",
    "5 stars out of 5, 100% happy, 24/7",
    "3 000 000 000 lignes, c'est trop",
    "Windows 10 22H2 build 19045.3803",
    "iPhone 14 Pro Max, iOS 17.2.1, 256 GB",
    "Galaxy S3 4GB and A5 2GB are slow",
    "Ratio 16:9, contrast 4.5:1, font 12pt",
    "The 1st, 2nd and 3rd tries failed",
    "It takes 10 minutes 30 seconds to sync 4500 steps",
    "My heart rate was 182 bpm at 5:43 per km",
    "I waited from 9:00 to 17:45 on 01.02.2024 10:30",
    "Ticket 48213 is still open, see #4812",
    "Invoice 2024-000123 is wrong",
    "We are 12 in the team, 3 in Paris",
    "Le vin est bon, la livraison aussi",
    "Swift delivery, thanks",
    "The plate was broken, and 2 glasses",
    "I was born to run with this watch",
    "Its birthday reminder for 40 people fails",
    "2 Google Drive accounts cannot be linked",
    "He arrived at this point in the tour",
    "Look at the dot on the map",
    "Chapter 3.14.15 and table 2.10",
    "f(x) = 3.14159 * r, about 2.718",
    "0.123456789 is shown instead of 0.12",
    "UTF-8, ISO 8601 and RFC 2616 matter",
    "A4 paper, 80 g, ref. B-52",
    "Passport photos cannot be uploaded",
    "Regards the price, it is too high",
    "My name is not shown on the card",
    "The regex [A-Z]{2} and the path /api/users fail",
)


def plain(case: str) -> tuple[str, str]:
    """Return the text of a case without its bars, and the datum between them."""
    before, datum, after = case.split("|")
    return before + datum + after, datum


def left(case: str, around: str = "{}") -> list[str]:
    """Return the words of a planted datum that redaction left in its sentence."""
    text, datum = plain(case)
    redacted, _ = redact(around.format(text), patterns=OWN, regions=REGIONS)
    others = around.format(case.replace(f"|{datum}|", ""))
    return [word for word in WORD.findall(datum) if times(word, redacted) > times(word, others)]


def times(word: str, text: str) -> int:
    return WORD.findall(text).count(word)


def changed() -> list[tuple[str, str]]:
    """Return the harmless sentences that did not stay as they are, and what became of them."""
    pairs = [(text, redact(text, regions=REGIONS)[0]) for text in HARMLESS]
    return [(text, redacted) for text, redacted in pairs if redacted != text]


def table() -> list[str]:
    """Return the rows of the page: of each kind how many were planted, and how many are gone."""
    rows = []
    for kind, cases in PLANTED.items():
        gone = [not left(case, around) for case in cases for around in AROUND]
        rows.append(f"| {kind} | {len(gone)} | {sum(gone)} |")
    return rows


if __name__ == "__main__":
    print("| kind | planted | gone |", "|---|---|---|", *table(), sep="\n")
    for text, redacted in changed():
        print("false:", text, "->", redacted)
