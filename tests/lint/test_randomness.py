"""What looks drawn at random, and what people write."""

from __future__ import annotations

import random
import string
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcsync.lint.randomness import entropy_bits, holds_random_word

if TYPE_CHECKING:
    from uuid import UUID

LETTERS_AND_DIGITS = string.ascii_letters + string.digits


@pytest.mark.parametrize(
    ("alphabet", "length"),
    [("0123456789abcdef", 40), ("0123456789ABCDEF", 64), (LETTERS_AND_DIGITS, 32)],
)
def test_nearly_every_key_is_found(alphabet: str, length: int) -> None:
    chance = random.Random(7)
    keys = ["".join(chance.choices(alphabet, k=length)) for _ in range(500)]

    found = [key for key in keys if holds_random_word(f"in a text: {key}, and more")]

    assert len(found) > 0.95 * len(keys)


@pytest.mark.parametrize(
    "text",
    [
        "getCustomerByPhoneNumberV2",
        "oAuth2ClientCredentialsV1",
        "DE89370400440532013000",
        "2026-06-01T00:00:00.000Z/2026-06-02T00:00:00.000Z",
        "20260601T000000Z20260602T000000Z",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "urn:ietf:params:scim:schemas:extension:genesys:purecloud:2.0:User",
        "report-2026-01-15-v2-final-0001-of-0100",
        "abcdefghijklmnopqrstuvwxyz0123456789",
        "a1a1a1a1a1a1a1a1a1a1a1a1a1a1",
        "",
    ],
)
def test_what_people_write_passes(text: str) -> None:
    assert not holds_random_word(text)


@given(st.uuids(version=4))
def test_uuids_pass_with_dashes_and_without(uuid: UUID) -> None:
    assert not holds_random_word(f"/rows/{uuid}/{uuid.hex}?upper={uuid.hex.upper()}")


@given(st.text(string.ascii_letters, min_size=20) | st.text(string.digits, min_size=20))
def test_letters_alone_and_digits_alone_pass(text: str) -> None:
    assert not holds_random_word(text)


def test_twenty_characters_are_long_enough() -> None:
    assert holds_random_word("Q7xK2mZ9vB4nT8wR3yL6")
    assert not holds_random_word("Q7xK2mZ9vB4nT8wR3yL")


def test_entropy_is_that_of_the_characters() -> None:
    assert entropy_bits("aaaa") == 0
    assert entropy_bits("abab") == 1
    assert entropy_bits("0123456789abcdef") == 4
