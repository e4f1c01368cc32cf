"""Makes ``sdk/zone_table.py`` from what the Rust SDK prints::

    cargo run --manifest-path guests/Cargo.toml -p ruzhi-guest --example zones | python3 guests/python/zone_table.py
"""

from __future__ import annotations

import base64
import json
import sys
import textwrap
from pathlib import Path
from typing import Any

TEXT = '''\
"""The table of time zones, made by ``guests/python/zone_table.py`` from that of the Rust SDK. Not to be edited.

How ``DATA`` is packed is written in ``guests/sdk/build.rs``. ``NAMES`` is each name and the number of its zone.
"""

# fmt: off
Turn = tuple[int, int, int, int]

OFFSETS: list[int] = [
{offsets}
]

RULES: list[tuple[int, int, Turn, Turn]] = [
{rules}
]

ZONES: list[tuple[int, int, int, int]] = [
{zones}
]

DATA = """
{data}
"""

NAMES = """
{names}
"""
'''


def written(value: Any) -> str:
    return f"({', '.join(map(written, value))})" if isinstance(value, list) else str(value)


def lines(pieces: list[str]) -> str:
    """The pieces, none of them broken, in lines."""
    joined = " ".join(piece.replace(" ", "\0") for piece in pieces)
    return textwrap.fill(joined, 118, break_long_words=False, break_on_hyphens=False).replace("\0", " ")


def main() -> None:
    table = json.load(sys.stdin)
    listed = {part: lines([written(item) + "," for item in table[part]]) for part in ("offsets", "rules", "zones")}
    data = textwrap.fill(base64.b64encode(bytes(table["data"])).decode(), 118)
    names = lines(table["names"].splitlines())
    path = Path(__file__).parent / "sdk" / "zone_table.py"
    path.write_text(TEXT.format(**listed, data=data, names=names), encoding="utf-8")


main()
