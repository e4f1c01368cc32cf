"""Unicode NFKC."""

from __future__ import annotations

import unicodedata


def nfkc(text: str) -> str:
    """The text in NFKC."""
    return unicodedata.normalize("NFKC", text)
