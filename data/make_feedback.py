"""Makes the sample data of feedback, our own words about a shop that does not exist, with known truth.

`python data/make_feedback.py`.

Eight weeks in two languages and the formats of three tools; an incident in week 5, when payments
fail; planted copies, a spam template, personal data (reserved or test numbers whose checksums
hold), and messages that belong nowhere. ``feedback_truth.json`` says what each message is about.
Only `random.Random.random` is used, whose stream Python guarantees: every machine writes the same
bytes.
"""

from __future__ import annotations

import csv
import io
import json
import re
import tomllib
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

SEED, START, WEEKS, A_WEEK, INCIDENT = 20260803, date(2026, 8, 3), 8, 90, 5
# shares: personal data in a ticket, copies, two things in a message
PERSONAL, COPIED, TWICE = 0.12, 0.04, 0.75
TOOLS: dict[str, tuple[str, str, dict[str, str]]] = {  # file: source, delimiter, headings
    "feedback_reviews.csv": (
        "app store",
        ",",
        {
            "id": "id",
            "content": "text",
            "score": "rating",
            "thumbsUpCount": "votes",
            "at": "day",
            "app": "app",
            "userName": "name",
        },
    ),
    "feedback_survey.csv": (
        "survey",
        ";",
        {
            "id": "id",
            "date": "french_day",
            "commentaire": "text",
            "note": "rating",
            "langue": "language",
        },
    ),
    "feedback_tickets.csv": (
        "help desk",
        ",",
        {
            "id": "id",
            "created_at": "day",
            "customer_id": "customer",
            "customer_name": "name",
            "segment": "segment",
            "arr": "revenue",
            "message": "text",
        },
    ),
}
STUDY = """\
# A complete feedback study. Copy it, change it, then: opslab run feedback_themes -p spec=FILE
study: shop-feedback                # short name; also names the folder of the readout
title: {en: What our shops' customers say, fr: Ce que disent les clients de nos boutiques}
question: {en: "What should we take up first, and whose is it?", fr: "Par quoi commencer, et qui s'en charge ?"}
owner: {en: customer care, fr: relation client}   # who answers for it
start: 2026-08-03                   # first and last day of the messages, both inside
end: 2026-09-27
languages: [en, fr]                 # languages that are expected; others are told, and sorted with the rest
sources:                            # exports of any tool; paths start at this file's folder
  - {path: feedback_tickets.csv, source: help desk}
  - {path: feedback_reviews.csv, source: app store}
  - {path: feedback_survey.csv, source: survey, day_first: true}
teams:                              # whose a theme is: examples of what goes to a team, in customers' words
  logistics: [my parcel has not arrived, the lamp was broken in its box, mon colis est en retard]
  payments: [my card is declined at the checkout, where is my refund, le code promo ne marche pas]
  app: [the app crashes when I open it, please add a dark mode, je ne peux plus me connecter]
  accounting: [the invoice is wrong, il me faut une facture]
redact:
  regions: [FR, GB]                 # whose local telephone numbers are recognised
  patterns: {order: '\\bAB-\\d{6}\\b'}  # your own: a name, and a regular expression
themes:
  coverage: 0.8                     # keep the surest 80 % of the messages, leave the rest unsorted
  smallest: 5                       # messages that make a theme
# audit: themes.xlsx                # once people have filled in the sheets that a run writes
# edits: themes.yaml                # names, merges, splits and teams that people gave; applied at each run
# previous: none                    # themes keep their numbers since the last run of an earlier day, unless you say so
done:                               # what was promised or released for a theme: the page tells what came after it
  - theme: T03                      # its number, as a run before tells it
    what: {en: Second payment provider switched on, fr: Second prestataire de paiement mis en service}
    on: 2026-09-07
blocking: [coverage, stability, leakage, furniture]   # red lights that a scheduled run reports
"""


def write(folder: Path) -> list[Path]:
    """Write every sample file of the area into a folder, the same bytes each time, and return them."""
    rows, planted = _messages(Random(SEED))  # noqa: S311 - sample data, no secret
    truth = {
        "incident": {"theme": "payment", "week": INCIDENT},
        "messages": {f"{row['source']}/{row['id']}": row["theme"] for row in rows},
        "planted": dict(planted),
        "themes": dict(Counter(row["theme"] for row in rows)),
    }
    texts = {
        "shop_feedback.yaml": STUDY,
        "feedback_truth.json": json.dumps(truth, indent=1, sort_keys=True) + "\n",
    }
    for name, (source, delimiter, columns) in TOOLS.items():
        lines = [
            list(columns),
            *([row[part] for part in columns.values()] for row in rows if row["source"] == source),
        ]
        stream = io.StringIO()
        csv.writer(stream, delimiter=delimiter, lineterminator="\n").writerows(lines)
        texts[name] = stream.getvalue()
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        encoding = "cp1252" if name == "feedback_survey.csv" else "utf-8"
        (folder / name).write_text(text, encoding=encoding, newline="\n")
    return [folder / name for name in sorted(texts)]


def _messages(r: Random) -> tuple[list[dict[str, Any]], Counter[str]]:
    """Return the messages by day, and what was planted among them."""
    words = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    weights = {name: part["weight"] for name, part in words.items() if "weight" in part}
    names = (
        "Anna Keller",
        "Jules Dupont",
        "Mary Okafor",
        "Zoé Lambert",
        "Tom Sykes",
        "Inès Garnier",
    )
    planted: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    for number in range(WEEKS * A_WEEK):
        week, customer = number // A_WEEK + 1, int(260 * r.random() * r.random())
        source = _pick(r, {"help desk": 0.45, "app store": 0.3, "survey": 0.25})
        language = "fr" if r.random() < (0.9 if source == "survey" else 0.35) else "en"
        raised = {"payment": weights["payment"] * 9} if week == INCIDENT else {}
        theme = _pick(
            r, weights | raised | {"elsewhere": 0.45, "spam": 0.25 * (source == "app store")}
        )
        text = _sentence(r, words, theme, language)
        if source == "help desk" and r.random() < PERSONAL:
            said = _one(r, words["personal"][language])
            planted.update(re.findall(r"{(\w+)}", said))
            text = f"{text} " + re.sub(
                r"{(\w+)}", lambda slot: _one(r, words["personal"][slot[1]]), said
            )
        day = START + timedelta(days=7 * (week - 1) + int(7 * r.random()))
        stars = words[theme].get("rating", 3) + int(3 * r.random()) - 1
        rows.append(
            {
                "source": source,
                "id": f"{source[0]}{number + 1:04d}",
                "text": text,
                "theme": theme,
                "day": day,
                "french_day": f"{day:%d/%m/%Y}",
                "language": language,
                "customer": f"c{customer:03d}",
                "name": names[customer % len(names)],
                "segment": ("shop", "office", "hotel")[customer % 3],
                "revenue": 200 + customer * 37 % 5000,
                "votes": number % 7,
                "rating": min(5, max(1, stars)),
                "app": "Shop",
            }
        )
        if r.random() < COPIED and theme not in ("spam", "elsewhere"):
            planted["copies"] += 1
            rows.append(
                rows[-1] | {"id": f"{rows[-1]['id']}b", "text": text.replace(".", "!").upper()}
            )
    planted["spam"] = sum(row["theme"] == "spam" for row in rows)
    return sorted(rows, key=lambda row: (row["day"], row["id"])), planted


def _sentence(r: Random, words: dict[str, Any], theme: str, language: str) -> str:
    """Return a message: one or two things that are said on a theme, with what people put around them."""
    if theme == "spam":
        return _one(r, words[theme]["en"]).replace("{number}", str(100 + int(900 * r.random())))
    parts = words[theme][language]
    said = _one(r, parts)
    if theme == "elsewhere":
        return said[0].upper() + said[1:] + (" ?" if language == "fr" else "?")
    if r.random() < TWICE:
        other = _one(r, [part for part in parts if part != said])
        said = f"{said}, {_one(r, words[f'links_{language}'])} {other}"
    for slot, name in (("{thing}", "things"), ("{span}", "spans")):
        said = said.replace(slot, _one(r, words[f"{name}_{language}"]))
    before, after = _one(r, words[f"openers_{language}"]), _one(r, words[f"tails_{language}"])
    return (
        f"{before}{said if before.endswith((', ', ': ')) else said[0].upper() + said[1:]}.{after}"
    )


def _one(r: Random, options: list[str]) -> str:
    return options[int(r.random() * len(options))]


def _pick(r: Random, weights: dict[str, float]) -> str:
    at = r.random() * sum(weights.values())
    for name, weight in weights.items():
        at -= weight
        if at < 0:
            return name
    return next(iter(weights))


if __name__ == "__main__":
    write(Path(__file__).parent / "sample")
