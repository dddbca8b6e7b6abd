"""How the commands write what they show."""

import pytest

from server.cli import console


@pytest.mark.parametrize(
    ("minor", "code", "told"),
    [
        (700_00, "EUR", "700.00 EUR"),
        (-1_250_05, "USD", "-1,250.05 USD"),
        (1_250, "JPY", "1,250 JPY"),
        (5, "BHD", "0.005 BHD"),
        (2**63 - 1, "EUR", "92,233,720,368,547,758.07 EUR"),
        (0, "", ""),
    ],
)
def test_money_is_shown_in_major_units(minor: int, code: str, told: str) -> None:
    assert console.money(minor, code) == told
