"""Plain feedback wrapped as mails, opened again, and sorted into themes.

The data sets are not ours to ship: name their folder in ``OPSLAB_REAL_DATA``. quotequail, an outside
peer for quoted history, is installed for this alone: name a Python that has it in
``OPSLAB_QUOTEQUAIL``, or its column is left out::

    python benchmarks/feedback_letters.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
from sklearn.metrics import adjusted_mutual_info_score

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("OPSLAB_REAL_DATA", "")) / "feedback"
MOST = 600
QUOTEQUAIL = """
import json, sys, quotequail
def own(mail):
    if "</" in mail:
        parts = quotequail.quote_html(mail)
    else:
        parts = quotequail.quote(mail)
    return " ".join(text for shown, text in parts if shown)
print(json.dumps([own(mail) for mail in json.load(sys.stdin)]))
"""


def quotequail(mails: list[str]) -> list[str] | None:
    """Return what quotequail leaves unfolded of each mail."""
    python = os.environ.get("OPSLAB_QUOTEQUAIL")
    if not python:
        return None
    done = subprocess.run(
        [python, "-c", QUOTEQUAIL],
        input=json.dumps(mails),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def main() -> None:
    """Print for each style how many texts come back as they were, and how themes then agree."""
    sys.path.insert(0, str(ROOT / "tests" / "feedback"))
    from mails import AGENT_EN, AGENT_FR, STYLES, wrapped

    from opslab import feedback
    from opslab.feedback.letters import opened

    frame = pd.read_csv(DATA / "banking77.csv", dtype=str).sample(MOST, random_state=0)
    texts = [" ".join(text.split()) for text in frame["text"]]
    runs = [(style.__name__, (style,), 1.0) for style in STYLES]
    runs += [("all", STYLES, 1.0), ("all, half of the texts", STYLES, 0.5), ("plain", STYLES, 0.0)]
    for name, styles, share in runs:
        mails, signers = wrapped(texts, styles, share)
        same = sum(opened(mail).text == text for mail, text in zip(mails, texts, strict=True))
        history = [
            any(line in opened(mail).text for line in (AGENT_EN, AGENT_FR)) for mail in mails
        ]
        other = quotequail(mails)
        missed = (
            ""
            if other is None
            else sum(
                any(line in " ".join(left.split()) for line in (AGENT_EN, AGENT_FR))
                for left in other
            )
        )
        result = feedback.find_themes(mails)
        near = {each.message.id: str(each.main.nearest) for each in result.assignments}
        labels = [near[str(at)] for at in range(1, len(mails) + 1)]
        truth, signed = (
            adjusted_mutual_info_score(known, labels) for known in (frame["label"], signers)
        )
        print(
            f"{name:24} same {same}/{len(texts)} history left {sum(history)} quotequail {missed} "
            f"AMI truth {truth:.3f} signer {signed:.3f}"
        )


if __name__ == "__main__":
    main()
