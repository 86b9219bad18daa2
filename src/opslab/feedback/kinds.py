from typing import Literal

Kind = Literal["problem", "wish", "question", "other"]


def kinds_of(texts, vectors, languages, sha256):
    return [None] * len(texts)


def says_nothing(text, kind, language):
    return False
