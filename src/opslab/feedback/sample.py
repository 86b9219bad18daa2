"""The sample data of the feedback area: our own words about a shop that does not exist, with known truth.

Eight weeks in two languages and the formats of three tools; an incident in week 5, when payments fail; planted
copies, a spam template, personal data (reserved or test numbers whose checksums hold), and messages that belong
nowhere. ``feedback_truth.json`` says what each message is about. Only `random.Random.random` is used, whose
stream Python guarantees: every machine writes the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections import Counter
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any

SEED, START, WEEKS, A_WEEK, INCIDENT = 20260803, date(2026, 8, 3), 8, 90, 5
STUDY = """\
# A complete feedback study. Copy it, change it, then: opslab run feedback_themes -p spec=FILE
study: shop-feedback                # short name; also names the folder of the readout
question: What do customers say, and how much of it?
owner: customer care                # who answers for it
start: 2026-08-03                   # first and last day of the messages, both inside
end: 2026-09-27
languages: [en, fr]                 # languages that are expected; others are told, and sorted with the rest
sources:                            # exports of any tool; paths start at this file's folder
  - {path: feedback_tickets.csv, source: help desk}
  - {path: feedback_reviews.csv, source: app store}
  - {path: feedback_survey.csv, source: survey, day_first: true}
redact:
  regions: [FR, GB]                 # whose local telephone numbers are recognised
  patterns: {order: '\\bAB-\\d{6}\\b'}  # your own: a name, and a regular expression
themes:
  coverage: 0.8                     # keep the surest 80 % of the messages, leave the rest unsorted
  smallest: 5                       # messages that make a theme
# audit: feedback_audit.csv         # once people have filled in the sheet that a run writes
blocking: [coverage, stability, leakage]   # red lights that a scheduled run reports
"""


def write(folder: Path) -> list[Path]:
    """Write every sample file of the area into a folder, the same bytes each time, and return them."""
    r = Random(SEED)  # noqa: S311 - sample data, no secret
    rows, planted = _messages(r)
    tickets = [row for row in rows if row["source"] == "help desk"]
    reviews = [row for row in rows if row["source"] == "app store"]
    survey = [row for row in rows if row["source"] == "survey"]
    truth = {
        "planted": planted,
        "themes": dict(sorted(Counter(row["theme"] for row in rows).items())),
        "incident": {"theme": "payment", "week": INCIDENT, "from": str(START + timedelta(weeks=INCIDENT - 1))},
        "messages": {f"{row['source']}/{row['id']}": row["theme"] for row in rows},
    }
    texts = {
        "feedback.yaml": STUDY,
        "feedback_reviews.csv": _csv(
            ["id", "content", "score", "thumbsUpCount", "at", "app", "userName"],
            [[row["id"], row["text"], row["rating"], row["votes"], f"{row['day']} 09:30:00", "Shop", row["name"]] for row in reviews],
        ),
        "feedback_survey.csv": _csv(
            ["id", "date", "commentaire", "note", "langue"],
            [[row["id"], f"{row['day']:%d/%m/%Y}", row["text"], row["rating"], row["language"]] for row in survey],
            ";",
        ),
        "feedback_tickets.csv": _csv(
            ["id", "created_at", "customer_id", "customer_name", "segment", "arr", "message"],
            [[row["id"], f"{row['day']}T10:15:00", row["customer"], row["name"], row["segment"], row["arr"], row["text"]] for row in tickets],
        ),
        "feedback_truth.json": json.dumps(truth, indent=1, sort_keys=True) + "\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="cp1252" if name == "feedback_survey.csv" else "utf-8", newline="\n")
    return [folder / name for name in texts]


def _messages(r: Random) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Return the messages by day, and what was planted among them."""
    words = tomllib.loads(files("opslab.feedback").joinpath("sample.toml").read_text(encoding="utf-8"))
    themes = {name: part for name, part in words.items() if isinstance(part, dict) and "weight" in part}
    names = ("Anna Keller", "Jules Dupont", "Mary Okafor", "Zoé Lambert", "Tom Sykes", "Inès Garnier")
    planted: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    for number in range(WEEKS * A_WEEK):
        week = number // A_WEEK + 1
        source = _pick(r, {"help desk": 0.45, "app store": 0.3, "survey": 0.25})
        language = "fr" if r.random() < (0.9 if source == "survey" else 0.35) else "en"
        weights = {
            name: part["weight"] * (part["incident"] if week == INCIDENT and "incident" in part else 1)
            for name, part in themes.items()
        }
        theme = _pick(r, weights | {"elsewhere": 0.45, "spam": 0.12 if source == "app store" else 0.0})
        part = words[theme]
        if theme == "spam":
            text = _one(r, part["en"]).replace("{number}", str(100 + int(900 * r.random())))
            language = "en"
        else:
            text = _sentence(r, words, part, language, opened=theme != "elsewhere")
        if source == "help desk" and r.random() < 0.12:  # noqa: PLR2004 - a share
            text = f"{text} {_personal(r, words['personal'], language, planted)}"
        customer = int(260 * r.random() * r.random())
        rows.append({
            "source": source, "id": f"{source[0]}{number + 1:04d}", "text": text, "theme": theme, "language": language,
            "day": START + timedelta(days=7 * (week - 1) + int(7 * r.random())), "customer": f"c{customer:03d}",
            "name": names[customer % len(names)], "segment": ("shop", "office", "hotel")[customer % 3],
            "arr": 200 + customer * 37 % 5000, "votes": int(20 * r.random() ** 3),
            "rating": min(5, max(1, part.get("rating", 3) + int(3 * r.random()) - 1)),
        })  # fmt: skip
        if r.random() < 0.04 and theme not in ("spam", "elsewhere"):  # noqa: PLR2004 - a share
            planted["copies"] += 1
            rows.append(rows[-1] | {"id": f"{source[0]}{number + 1:04d}b", "text": text.replace(".", "!").upper() if r.random() < 0.5 else text + " :-("})  # noqa: E501, PLR2004
    planted["spam"] = sum(row["theme"] == "spam" for row in rows)
    rows.sort(key=lambda row: (row["day"], row["id"]))
    return rows, dict(sorted(planted.items()))


def _sentence(r: Random, words: dict[str, Any], part: dict[str, Any], language: str, *, opened: bool) -> str:
    said = _one(r, part[language])
    for slot, name in (("{thing}", "things"), ("{span}", "spans")):
        said = said.replace(slot, _one(r, words[f"{name}_{language}"]))
    if not opened:
        return said[0].upper() + said[1:] + ("?" if language == "en" else " ?")
    before, after = _one(r, words[f"openers_{language}"]), _one(r, words[f"tails_{language}"])
    said = said if before.endswith((", ", ": ")) else said[0].upper() + said[1:]
    return f"{before}{said}.{after}"


def _personal(r: Random, personal: dict[str, Any], language: str, planted: Counter[str]) -> str:
    said = _one(r, personal[language])
    for kind in ("email", "phone", "card", "iban", "ip", "nir", "siret"):
        if f"{{{kind}}}" in said:
            said = said.replace(f"{{{kind}}}", _one(r, personal[kind]))
            planted[kind] += 1
    return said


def _one(r: Random, options: list[str]) -> str:
    return options[int(r.random() * len(options))]


def _pick(r: Random, weights: dict[str, float]) -> str:
    at = r.random() * sum(weights.values())
    for name, weight in weights.items():
        at -= weight
        if at < 0:
            return name
    return next(iter(weights))


def _csv(header: list[str], rows: list[list[Any]], delimiter: str = ",") -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
    writer.writerows([header, *rows])
    return stream.getvalue()
