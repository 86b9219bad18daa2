"""Money keeps its currency, and rates keep their word."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opslab.businesscase.money import Money, Rate, convert, rate_between
from opslab.errors import InputError

DAY = datetime.date(2026, 11, 20)
USD = Rate("EUR", "USD", 1.1545, DAY, "central bank")
amounts = st.floats(-1e12, 1e12)


def eur(amount):
    return Money(amount, "EUR")


def test_arithmetic_within_one_currency():
    assert eur(10) + eur(5) - eur(3) == eur(12)
    assert eur(10) * 3 == 3 * eur(10) == eur(30)
    assert -eur(10) == eur(-10)
    assert sum([eur(1), eur(2)], eur(0)) == eur(3)
    assert eur(1) < eur(2) <= eur(2)
    assert eur(2) > eur(1) >= eur(1)
    assert eur(1) != Money(1, "USD")
    assert eur(0.1) + eur(0.2) == eur(0.1 + 0.2)  # never rounded


@pytest.mark.parametrize(
    "mix",
    [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a < b,
        lambda a, b: a <= b,
        lambda a, b: a > b,
        lambda a, b: a >= b,
    ],
)
def test_currencies_never_mix(mix):
    with pytest.raises(InputError) as caught:
        mix(eur(1), Money(1, "USD"))
    assert caught.value.problems[0].key == "businesscase.currencies"
    for language in ("en", "fr"):
        assert "EUR" in caught.value.text(language)
        assert "USD" in caught.value.text(language)
    with pytest.raises(TypeError):
        mix(eur(1), 1)


def test_money_is_not_multiplied_by_money():
    with pytest.raises(TypeError):
        eur(2) * eur(3)


def test_conversion_directly_and_backwards():
    assert convert(eur(100), "USD", [USD]) == Money(100 * 1.1545, "USD")
    assert convert(Money(1154.5, "USD"), "EUR", [USD]).amount == pytest.approx(1000, rel=1e-12)
    assert convert(eur(100), "EUR", []) == eur(100)
    assert rate_between("USD", "EUR", [USD]) == Rate("USD", "EUR", 1 / 1.1545, DAY, "central bank")
    assert rate_between("EUR", "USD", [USD]) is USD
    other = Rate("GBP", "USD", 1.3, DAY, "x")
    assert rate_between("EUR", "USD", [other, USD]) is USD


@given(amounts, st.floats(1e-4, 1e4))
def test_there_and_back_is_the_same(amount, rate):
    rates = [Rate("EUR", "JPY", rate, DAY, "x")]
    back = convert(convert(eur(amount), "JPY", rates), "EUR", rates)
    assert back.amount == pytest.approx(amount, rel=1e-12)


@given(
    st.permutations(
        [USD, Rate("USD", "EUR", 1 / 1.1545, DAY, "a"), Rate("EUR", "USD", 1.1545, DAY, "b")]
    )
)
def test_rates_that_agree_may_repeat_in_any_order(rates):
    assert rate_between("EUR", "USD", rates) == Rate("EUR", "USD", 1.1545, DAY, "b")


def later(base, quote, rate):
    return Rate(base, quote, rate, datetime.date(2026, 11, 21), "x")


@pytest.mark.parametrize(
    ("call", "key", "told"),
    [
        (lambda: convert(eur(1), "GBP", [USD]), "no_exchange", ["EUR", "GBP"]),
        (
            lambda: convert(eur(1), "JPY", [USD, later("USD", "JPY", 150.0)]),
            "no_exchange",
            ["EUR", "JPY"],
        ),
        (
            lambda: convert(eur(1), "USD", [USD, later("EUR", "USD", 1.16)]),
            "exchanges_differ",
            ["20", "21"],
        ),
        (
            lambda: convert(eur(1), "USD", [USD, later("USD", "EUR", 0.86)]),
            "exchanges_differ",
            ["20", "21"],
        ),
        (lambda: convert(eur(1), "usd", [USD]), "currency", ["usd"]),
        (lambda: eur(float("nan")), "amount", ["nan"]),
        (lambda: Money(1, "euro"), "currency", ["euro"]),
        (lambda: Money(1, "EUR\n"), "currency", ["EUR"]),
        (lambda: Rate("EUR", "eur", 1.0, DAY, "x"), "currency", ["eur"]),
        (lambda: Rate("EUR", "EUR", 1.0, DAY, "x"), "exchange", ["EUR"]),
        (lambda: Rate("EUR", "USD", 0.0, DAY, "x"), "exchange", ["0.0"]),
        (lambda: Rate("EUR", "USD", float("inf"), DAY, "x"), "exchange", ["inf"]),
    ],
)
def test_refusals(call, key, told):
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.problems[0].key == f"businesscase.{key}"
    for language in ("en", "fr"):
        assert all(word in caught.value.text(language) for word in told)
