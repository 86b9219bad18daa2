"""Themes on labelled feedback, beside k-means told the true number, LSA, and BERTopic with the same vectors.

The data sets are not ours to ship: name their folder in ``OPSLAB_REAL_DATA``. BERTopic is installed
for this alone: name a Python that has it in ``OPSLAB_BERTOPIC``, or its rows stay as they stand on the page::

    python benchmarks/feedback.py                    # writes docs/feedback-benchmarks.md
    python benchmarks/feedback.py --scale 100000
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "feedback-benchmarks.md"
SAMPLE = ROOT / "data" / "sample" / "feedback_reviews.csv"
FOLDER = Path(tempfile.gettempdir()) / "opslab-benchmarks"
DATA = Path(os.environ.get("OPSLAB_REAL_DATA", "")) / "feedback"
MOST = 3000
SETS = {
    "banking77": "banking77",
    "clinc150": "clinc150 -oos",
    "stackoverflow": "stackoverflow_titles",
    "airline": "airline_tweets",
    "airline, reason known": "airline_tweets -Can't Tell",
    "reviews A en+fr": "app_reviews_garmin_connect_themes",
    "reviews B en+fr": "app_reviews_huawei_health_themes",
    "sib200 en+fr": "sib200_en_fr",
}
BERTOPIC = """
import json, sys, time, resource, numpy as np
from bertopic import BERTopic
from bertopic.backend import BaseEmbedder
from umap import UMAP
def model():
    flat = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=0)
    return BERTopic(embedding_model=BaseEmbedder(), umap_model=flat, calculate_probabilities=False)
random = np.random.default_rng(0)
model().fit_transform(["warm up %d" % n for n in range(300)], random.normal(size=(300, 16)).astype("f"))
data = np.load(sys.argv[1], allow_pickle=False)
texts, vectors = data["texts"].tolist(), data["vectors"]
started = time.process_time()
topic = model()
raw, _ = topic.fit_transform(texts, vectors)
all_in = topic.reduce_outliers(texts, raw, strategy="embeddings", embeddings=vectors) if -1 in raw else raw
seconds, peak = time.process_time() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
found = {"raw": list(map(int, raw)), "all": list(map(int, all_in)), "seconds": seconds, "mib": peak}
print(json.dumps(found))
"""


def load(name: str, *, with_noise: bool = False) -> pd.DataFrame:
    """Return a set in opslab's canonical order, at most so many texts, as opslab reads them.

    ``FILE -LABEL`` leaves a label out.
    """
    name, _, without = name.partition(" -")
    frame = pd.read_csv(DATA / f"{name}.csv", dtype=str, keep_default_na=False)
    if name == "airline_tweets":
        frame = frame[frame["label"] != ""]
    frame = frame[frame["label"] != without] if without else frame
    frame["words"] = [
        " ".join(re.sub(r"https?://\S+|@\w+", " ", text).split()) for text in frame["text"]
    ]
    frame["hash"] = [
        hashlib.sha256(text.casefold().encode()).hexdigest() for text in frame["words"]
    ]
    return (
        frame.sort_values(["hash", "id"])
        .head(MOST * (2 if with_noise else 1))
        .reset_index(drop=True)
    )


def vectors_of(frame: pd.DataFrame) -> tuple[np.ndarray, float]:
    from opslab.feedback.encoders import Cached, Universal

    started = time.process_time()
    found = Cached(Universal(), FOLDER / "vectors").encode(list(frame["words"]))
    return found, time.process_time() - started


def bertopic(frame: pd.DataFrame, vectors: np.ndarray) -> dict | None:
    python = os.environ.get("OPSLAB_BERTOPIC")
    if not python:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "in.npz"
        np.savez(path, texts=np.array(frame["words"].tolist()), vectors=vectors)
        environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "NUMBA_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        environment.pop("PYTHONPATH", None)
        done = subprocess.run(
            [python, "-c", BERTOPIC, str(path)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        return None
    return json.loads(done.stdout.strip().splitlines()[-1])


def kept(name: str) -> list[str]:
    """Return the rows of BERTopic that stand on the page: those of a set, or of the risk."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    begin = next((at for at, line in enumerate(lines) if line.startswith(name)), len(lines))
    rows = []
    for line in lines[begin + 1 :]:
        if line.startswith("#") or (
            line.startswith("| ") and not line.startswith(("| |", "| opslab", "| BER", "| method"))
        ):
            break
        rows += [line] if "BERTopic" in line and "as BERTopic" not in line else []
    return rows


def scored(truth, labels, mask=None) -> str:
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

    mask = np.ones(len(labels), bool) if mask is None else mask
    truth, labels = np.asarray(truth)[mask], np.asarray(labels)[mask]
    agree = (adjusted_mutual_info_score(truth, labels), adjusted_rand_score(truth, labels))
    return f"{agree[0]:.3f} | {agree[1]:.3f} | {mask.mean():.0%} | {len(set(labels.tolist()))}"


def compare() -> list[str]:
    """Return the rows of the comparison."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    from opslab.feedback.clustering import cluster
    from opslab.feedback.encoders import Latent, levelled, spelling

    rows = []
    for shown, name in SETS.items():
        frame = load(name)
        truth, true = frame["label"], frame["label"].nunique()
        vectors, _ = vectors_of(frame)
        started = time.process_time()
        spelt = spelling(list(frame["words"]), MOST)
        spoken = list(frame["lang"])
        found = cluster(levelled(vectors, spoken), [1] * len(frame), 5, 0, spelt, spoken)
        seconds = time.process_time() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sure = np.zeros(len(frame), bool)
        sure[np.argsort(-(found.margin + found.cosine), kind="stable")[: int(0.8 * len(frame))]] = (
            True
        )
        begun = len(rows)
        rows.append(
            f"| {shown} | opslab | {scored(truth, found.labels)} | {seconds:.1f} | {peak:.0f} |"
        )
        rows.append(f"| | opslab, groups | {scored(truth, found.groups[found.labels])} | | |")
        rows.append(f"| | opslab, surest 80 % | {scored(truth, found.labels, sure)} | | |")
        with threadpool_limits(1):
            for label, given in (
                ("same vectors", vectors),
                ("LSA", Latent().encode(list(frame["words"]))),
            ):
                started = time.process_time()
                means = KMeans(true, n_init=3, random_state=0).fit_predict(given)
                took = time.process_time() - started
                rows.append(
                    f"| | k-means told k, {label} | {scored(truth, means)} | {took:.1f} | |"
                )
        other = bertopic(frame, vectors)
        if other:
            raw = np.array(other["raw"])
            cost = f"{other['seconds']:.1f} | {other['mib']:.0f}"
            rows.append(
                f"| | BERTopic, noise re-assigned | {scored(truth, other['all'])} | {cost} |"
            )
            rows.append(f"| | BERTopic, without its noise | {scored(truth, raw, raw >= 0)} | | |")
        else:
            rows += kept(f"| {shown} | opslab ")
        if "sib" in name:
            themes = dict(zip(frame["id"], found.labels.tolist(), strict=True))
            pairs = [
                (theme, themes.get(one[:-2] + "fr"))
                for one, theme in themes.items()
                if one.endswith("en")
            ]
            same = np.mean([one == other for one, other in pairs if other is not None])
            leak = scored(frame["lang"], found.labels)
            rows.append(f"| | pairs in one theme: {same:.1%}; with the language: | {leak} | | |")
        print(*rows[begun:], sep="\n", flush=True)
    return rows


def risk() -> list[str]:
    """Return precision at several coverages on clinc150 with its out-of-scope texts."""
    from opslab.feedback.clustering import cluster
    from opslab.feedback.encoders import spelling

    frame = load("clinc150", with_noise=True)
    vectors, _ = vectors_of(frame)
    truth = frame["label"].to_numpy()
    found = cluster(
        vectors,
        [1] * len(frame),
        5,
        0,
        spelling(list(frame["words"]), 2 * MOST),
        list(frame["lang"]),
    )
    sure = np.argsort(-(found.margin + found.cosine), kind="stable")

    def right(labels: np.ndarray) -> np.ndarray:
        majority = {
            theme: pd.Series(truth[labels == theme]).mode()[0] for theme in set(labels.tolist())
        }
        return np.array(
            [
                majority[theme] == name != "oos"
                for theme, name in zip(labels.tolist(), truth, strict=True)
            ]
        )

    def line(name: str, correct: np.ndarray, some: np.ndarray) -> str:
        outside = (truth[some] == "oos").mean()
        return f"| {name} | {len(some) / len(truth):.0%} | {correct.mean():.3f} | {outside:.1%} |"

    good = right(found.labels)
    told = [
        (f"opslab, surest {share:.0%}", sure[: int(share * len(sure))])
        for share in (1, 0.9, 0.8, 0.6)
    ]
    other = bertopic(frame, vectors)
    rows = [] if other else kept("## Risk")
    if other:
        raw = np.array(other["raw"])
        held = np.flatnonzero(raw >= 0)
        rows = [
            line("BERTopic without its noise bin", right(raw)[held], held),
            line("BERTopic, noise re-assigned", right(np.array(other["all"])), np.arange(len(raw))),
        ]
    for row in rows[:1]:
        covered = row.split(" | ")[1]
        as_many = int(float(covered.rstrip("%")) / 100 * len(sure))
        told.append((f"opslab, surest {covered} (as BERTopic)", sure[:as_many]))
    return [line(name, good[some], some) for name, some in told] + rows


def whole() -> list[str]:
    """Return the agreement of whole runs with the labels: mails cut, points told apart, named."""
    from opslab import feedback
    from opslab.feedback import Study

    rows = []
    for shown, name in SETS.items():
        frame = load(name)
        table = frame[["id", "text", "lang"]].rename(columns={"lang": "language"})
        study = Study(study="benchmark", themes={"cache": str(FOLDER / "vectors")})
        result = feedback.find_themes(table, study)
        points = {each.message.id: each for each in result.assignments}
        sorted_ = [points.get(name) for name in frame["id"]]
        near = [str(each.main.nearest) if each else "" for each in sorted_]
        sure = np.array([bool(each and each.theme) for each in sorted_])
        several = np.mean([len(each.themes) > 1 for each in result.assignments])
        score = scored(frame["label"], near).split(" | ")[0]
        surely = scored(frame["label"], near, sure).split(" | ")
        rows.append(
            f"| {shown} | {score} | {surely[0]} | {surely[2]} | {several:.1%} | {len(result.themes)} |"
        )
        print(rows[-1], flush=True)
    return rows


def names() -> list[str]:
    """Return how often a content word of the class most of a theme bears stands in its three phrases."""
    from opslab.feedback.clustering import cluster
    from opslab.feedback.encoders import Universal, spelling
    from opslab.feedback.naming import name_themes, stem, stop_words, words

    def stems(texts: list[str]) -> set[str]:
        said = {word for text in texts for word in words(text.replace("_", " ").replace("-", " "))}
        return {stem(word) for word in said - stop_words("en")}

    rows = []
    for name in ("stackoverflow_titles", "banking77", "clinc150 -oos"):
        frame = load(name)
        texts, spoken = list(frame["words"]), list(frame["lang"])
        found = cluster(vectors_of(frame)[0], [1] * len(frame), 5, 0, spelling(texts, MOST), spoken)
        count = len(found.centroids)
        named = name_themes(texts, spoken, found.labels, count, Universal().encode)
        phrases = [[phrase for part in theme for phrase in part.phrases] for theme in named]
        titled = [part.title for theme in named for part in theme]
        classes = [frame["label"][found.labels == theme].mode()[0] for theme in range(count)]
        held = [
            bool(stems([one]) & stems(said)) for one, said in zip(classes, phrases, strict=True)
        ]
        first = len(set(titled)) == len(titled)
        rows.append(
            f"| {name.split()[0]} | {count} | {np.mean(held):.0%} | {'none' if first else 'some'} |"
        )
    return rows


def made(count: int, seed: int = 0) -> pd.DataFrame:
    """Return so many messages, most of them distinct: two parts of real texts make a new one.

    A quarter is French. A week has a hundredth of them; a customer writes twice.
    """
    english: list[str] = []
    for name in (
        "banking77",
        "clinc150",
        "stackoverflow_titles",
        "airline_tweets",
        "app_reviews_garmin_connect_classified",
        "app_reviews_huawei_health_classified",
    ):
        path = DATA / f"{name}.csv"
        english += pd.read_csv(path, dtype=str, keep_default_na=False)["text"].tolist()
    pairs = pd.read_csv(DATA / "sib200_en_fr.csv", dtype=str, keep_default_na=False)
    french = pairs["text"][pairs["lang"] == "fr"].tolist()
    reviews = pd.read_csv(SAMPLE, dtype=str, keep_default_na=False)["content"]
    french += reviews[reviews.str.contains(r"\b(?:le|la|les|est|une|mon|je)\b")].tolist()
    random, texts = np.random.default_rng(seed), []
    for is_french in random.random(count) < 0.25:
        pool = french if is_french else english
        first, second = (pool[at].split() for at in random.integers(0, len(pool), 2))
        more, less = random.integers(0, 3, 2)
        cut = max(len(second) // 2 - less, 0)
        texts.append(" ".join([*first[: len(first) // 2 + 1 + more], *second[cut:]]))
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(count) * 700 // count, "D")
    return pd.DataFrame(
        {
            "id": [f"{seed}-{at}" for at in range(count)],
            "created_at": days.strftime("%Y-%m-%d"),
            "content": texts,
            "customer_id": [f"c{at}" for at in random.integers(0, count // 2 + 1, count)],
            "score": random.integers(1, 6, count),
        }
    )


def scale(count: int, more: int) -> None:
    """Run so many texts through the whole, cold, then some more that are new, and print what it took."""
    folder = Path(os.environ.get("OPSLAB_SCALE") or tempfile.mkdtemp())
    for size, seed in ((count, 0), (more, 1))[: 1 + bool(more)]:
        made(size, seed).to_csv(folder / f"export-{seed}.csv", index=False)
        process = get_context("spawn").Process(target=step, args=(folder, seed))
        process.start()
        process.join()


def step(folder: Path, seed: int) -> None:
    """Find the themes of an export, those of the run before known; print what it took."""
    from opslab.feedback import Study, find_themes, record
    from opslab.feedback.registry.state import Registry

    study = Study(
        study="scale",
        sources=[{"path": str(folder / f"export-{seed}.csv"), "text": "content"}],
        themes={"cache": str(folder / "vectors")},
    )
    known = folder / "registry.json"
    registry = Registry.of(known.read_bytes(), str(known)) if seed else None
    began, spent = time.monotonic(), time.process_time()
    result = find_themes(study=study, registry=registry)
    found = time.process_time() - spent
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    known.write_bytes(result.registry.content())
    files, pages = record.files(result), result.documents() or {}
    told = {
        "found_cpu": round(found, 1),
        "found_peak_mib": peak,
        "cpu": round(time.process_time() - spent, 1),
        "wall": round(time.monotonic() - began, 1),
        "load": os.getloadavg(),
        "messages": len(result.assignments),
        "copies": sum(each.copy_of is not None for each in result.assignments),
        "themes": len(result.themes),
        "result_kb": len(json.dumps(record.record(result), default=str)) // 1000,
        "files_mb": {name: round(len(each) / 1e6, 1) for name, each in files.items()},
        "pages_mb": round(sum(map(len, pages.values())) / 1e6, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(told), flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=int, help="so many texts through the whole")
    parser.add_argument("--next", type=int, default=0, help="and so many new ones after them")
    given = parser.parse_args(arguments)
    if "OPSLAB_REAL_DATA" not in os.environ:
        print("Name the folder of the data sets in OPSLAB_REAL_DATA.")
        return
    if given.scale:
        scale(given.scale, given.next)
        return
    heads = (
        "| set | method | AMI | ARI | coverage | themes | CPU s | MiB |",
        "|---|---|---|---|---|---|---|---|",
    )
    risks = ("| method | coverage | precision | out of scope among them |", "|---|---|---|---|")
    table, curve, named, run = compare(), risk(), names(), whole()
    introduction = f"""# Themes on labelled feedback

Made by `python benchmarks/feedback.py`, by one thread: {MOST:,} texts of a set at most, in opslab's order.
CPU seconds are those of clustering alone (opslab: with its stability check); encoding is the same for all and
left out. AMI and ARI are agreement with the labels beyond chance, of the texts that are covered. Rows of
BERTopic were measured on 2026-11-22 with the same vectors, and kept since: their seconds are of that day, when
k-means took two to three times the seconds that it takes here.
"""
    curved = (
        "## Risk and coverage\n\nclinc150 with its out-of-scope texts; right is the label most of a theme "
        "bears, and nothing is right for a text out of scope.\n"
    )
    called = (
        "## Names\n\nA content word of the label most of a theme bears stands among its three phrases.\n",
        "| set | themes | with such a word | names that stand twice |",
        "|---|---|---|---|",
    )
    runs = (
        (
            "## Whole runs\n\n`find_themes` from the raw texts: what is no message is cut, long texts are split into "
            "points, praise is folded. All: each text in its nearest theme. Several: in more than one theme.\n"
        ),
        "| set | AMI, all | AMI, sorted | sorted | several | themes |",
        "|---|---|---|---|---|---|",
    )
    PAGE.write_text(
        "\n".join(
            [
                *(introduction, *heads, *table, "", *runs, *run, ""),
                *(curved, *risks, *curve, "", *called, *named, ""),
            ]
        ),
        encoding="utf-8",
    )
    print(*curve, *named, sep="\n")


if __name__ == "__main__":
    main()
