"""Long messages make several points; what they shape, and where a message stands by them."""

import numpy as np

from opslab import feedback
from opslab.feedback.customer_message import CustomerMessage
from opslab.feedback.points import LONG, finer, passages, points

MATTERS = {
    "parcel": [
        "My parcel has not arrived although it was promised for {}.",
        "The parcel shown as delivered on {} never reached me.",
        "The courier left my parcel with a stranger on {}.",
        "Tracking says that my parcel has stood in the depot since {}.",
    ],
    "password": [
        "I cannot reset my password since {}.",
        "The password link from {} does not work any more.",
        "Since {} the app refuses my password and locks me out.",
        "No mail with a new password has come since {}.",
    ],
    "invoice": [
        "The invoice of {} shows the wrong amount of tax.",
        "Please send the invoice of {} again, the tax number is missing.",
        "There is no invoice for {} in my account.",
        "The invoice of {} bills the same order two times.",
    ],
    "camera": [
        "The camera takes blurred pictures in the dark since {}.",
        "Pictures of the camera have a green tint since {}.",
        "The camera does not focus on near things since {}.",
        "Since {} the camera shows black pictures only.",
    ],
    "battery": [
        "The battery is empty after two hours since {}.",
        "Since {} the battery does not charge overnight.",
        "The battery gets hot while charging, last on {}.",
        "The battery fell from full to nothing on {}.",
    ],
    "colour": [
        "Please offer the sofa in dark green by {}.",
        "I would buy the sofa in another colour on {}.",
        "The colour of the sofa is nothing like the picture of {}.",
        "More colours for the sofa were announced for {}.",
    ],
    "staff": [
        "Your colleague in the shop was rude on {}.",
        "On {} nobody of the staff greeted us in the shop.",
        "The staff of the shop laughed at my question on {}.",
        "The lady at the till shouted at my son on {}.",
    ],
    "language": [
        "Please translate the manual into Portuguese before {}.",
        "The manual from {} is in Chinese only.",
        "I cannot read the manual, there is no Italian in it since {}.",
        "A manual in my language was promised for {}.",
    ],
}
DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def speech(random, names):
    return " ".join(
        str(random.choice(MATTERS[name])).format(random.choice(DAYS)) + " " for name in names
    )


def messages_of(random, count, most):
    """Return messages that each speak of several matters, and of which."""
    names = sorted(MATTERS)
    truth = [tuple(random.permutation(names)[:most].tolist()) for _ in range(count)]
    return [speech(random, matters) for matters in truth], truth


def test_short_messages_and_long_sentences_make_a_single_point():
    assert points("It crashes. Always. Help!") == ["It crashes. Always. Help!"]
    sentence = " ".join(["word"] * (LONG + 5)) + "."
    assert points(sentence) == [sentence]


def test_a_sentence_of_a_few_words_stays_with_its_neighbour():
    long = "The export of my yearly report stops after ten minutes without any message at all."
    text = f"Hello there! {long} {long} Thanks a lot."
    assert points(text) == [f"Hello there! {long}", f"{long} Thanks a lot."]
    assert " ".join(points(text)) == text


def test_passages_are_in_an_order_that_has_nothing_to_do_with_the_messages():
    texts, _ = messages_of(np.random.default_rng(0), 30, 3)
    said = [CustomerMessage(str(row), "s", str(row), row, text) for row, text in enumerate(texts)]
    forth = [passage.words for passage in passages(said)]
    assert forth == [passage.words for passage in passages(said[::-1])]
    assert len(forth) == 30 * 4
    assert len(finer(passages(said), range(120))) == 90


def test_messages_of_several_matters_stand_in_several_themes():
    texts, truth = messages_of(np.random.default_rng(1), 240, 3)
    result = feedback.find_themes(texts, feedback.Study(study="s", themes={"coverage": 1.0}))
    assert result.model.points
    stands = {each.message.row - 1: each.themes for each in result.assignments}
    matter = {}
    for theme in result.themes:  # the matter that most of its messages have, beyond chance
        rows = [row for row, themes in stands.items() if theme.id in themes]
        matter[theme.id] = max(
            sorted(MATTERS), key=lambda name: sum(name in truth[row] for row in rows)
        )
    right = [matter[name] in truth[row] for row, themes in stands.items() for name in themes]
    heard = [
        name in {matter[theme] for theme in stands[row]} for row in stands for name in truth[row]
    ]
    assert np.mean(right) > 0.95
    assert np.mean(heard) > 0.9
    assert len(result.labels) == len(texts)
    assert all(label in stands[row] for row, label in enumerate(result.labels))


def test_whole_messages_shape_themes_where_they_are_clear():
    texts, truth = messages_of(np.random.default_rng(2), 160, 1)
    texts = [f"{text}I have been a customer of yours for many years and wait." for text in texts]
    result = feedback.find_themes(texts, feedback.Study(study="s"))
    assert not result.model.points
    assert {len(each.themes) for each in result.assignments} <= {0, 1}
    assert len(truth) == len(result.labels)
