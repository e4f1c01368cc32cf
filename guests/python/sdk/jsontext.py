"""JSON as the Rust SDK reads and writes it, to the last digit and the last column.

Python's own parser is quick and lenient: it accepts ``NaN``, halves of surrogate pairs and any depth, and reads
numbers of any size. Texts that both read alike go through it; all others through :class:`_Reader`, which reports
where a text stops being JSON. A whole number of 64 bits is an ``int``, any other a ``float``; keys are written in
order.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

Value = Any
"""``None``, ``bool``, ``int``, ``float``, ``str``, ``list`` or ``dict``."""

_DEPTH = 128
_U64 = 2**64 - 1
_I64 = -(2**63)
_I32 = 2**31 - 1
_POWERS = [float(f"1e{power}") for power in range(309)]
_SPACE = re.compile(rb"[ \t\n\r]*")
_PLAIN = re.compile(rb'[^"\\\0-\x1f]*')
_HEX = re.compile(rb"[0-9a-fA-F]{4}")
_ESCAPES = dict(zip(b'"\\/bfnrt', '"\\/\b\f\n\r\t'))
_IDENTIFIERS: dict[int, tuple[bytes, Value]] = {
    ord("n"): (b"ull", None),
    ord("t"): (b"rue", True),
    ord("f"): (b"alse", False),
}


class NotJson(ValueError):
    """A text is not JSON, or not the requested type."""

    def __init__(self, line: int, column: int) -> None:
        super().__init__(f"not JSON at line {line} column {column}")
        self.line = line
        self.column = column
        """In bytes of UTF-8, from 1."""


def read(text: str) -> Value:
    """The value of a JSON text.

    :raises NotJson: where it stops being one.
    """
    if _is_harmless(text):
        try:
            return _QUICK.decode(text)
        except (ValueError, RecursionError):
            pass
    return _Reader(text).document(_Reader.value)


def read_object(text: str) -> dict[str, Value]:
    """The fields of a JSON text that is an object; if a field is given twice, the last one counts.

    :raises NotJson: where it stops being one.
    """
    if _is_harmless(text):
        try:
            value = _QUICK.decode(text)
            if type(value) is dict:
                return value
        except (ValueError, RecursionError):
            pass
    fields: dict[str, Value] = _Reader(text).document(_Reader.only_object)
    return fields


def write(value: Value) -> str:
    """The value as compact JSON text."""
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, list):
        return f"[{','.join(map(write, value))}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{write(key)}:{write(value[key])}" for key in sorted(value)) + "}"
    return json.dumps(value, ensure_ascii=False)


def number_text(number: float | int) -> str:
    """A number with the fewest digits that are read as the same number."""
    text = repr(number)
    if "e" not in text:
        return text
    digits, exponent = text.split("e")
    if int(exponent) == -5:
        sign = "-" if number < 0 else ""
        return f"{sign}0.0000{digits.replace('.', '').lstrip('-')}"
    return f"{digits}e{int(exponent):+d}"


def _is_harmless(text: str) -> bool:
    """True if the two parsers can differ only in numbers."""
    return "\\u" not in text and text.count("[") + text.count("{") < _DEPTH


def _integer(text: str) -> int | float:
    if len(text) < 19 and text != "-0":
        return int(text)
    return _Reader(text).number_alone()


def _float(text: str) -> float:
    return float(_Reader(text).number_alone())


def _reject(text: str) -> NoReturn:
    raise ValueError(text)


_QUICK = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=_reject)


class _Reader:
    """A text being read, byte by byte. Every position is the one ``serde_json`` names."""

    def __init__(self, text: str) -> None:
        self._data = text.encode()
        self._at = 0
        self._depth = _DEPTH

    def document(self, read: Any) -> Value:
        value = read(self)
        if self._space() is not None:
            self._fail_ahead()
        return value

    def number_alone(self) -> int | float:
        positive = self._peek() != ord("-")
        self._at += not positive
        return self._number(positive)

    def only_object(self) -> dict[str, Value]:
        first = self._space()
        if first == ord("["):
            # Rejected at the bracket, but the position is the one after the end of the list, or where that would be.
            self._at += 1
            following = self._space()
            if following == ord("]"):
                self._at += 1
            elif following == ord(","):
                self._at += 1
                self._space()
            self._fail()
        value = self.value()
        if type(value) is not dict:
            self._fail()
        return value

    def value(self) -> Value:
        first = self._space()
        if first is None:
            self._fail_ahead()
        if first == ord('"'):
            self._at += 1
            return self._string()
        if first == ord("{"):
            return self._object()
        if first == ord("["):
            return self._array()
        if first == ord("-"):
            self._at += 1
            return self._number(False)
        if ord("0") <= first <= ord("9"):
            return self._number(True)
        if first in _IDENTIFIERS:
            self._at += 1
            rest, value = _IDENTIFIERS[first]
            for expected in rest:
                if self._next() != expected:
                    self._fail()
            return value
        self._fail_ahead()

    def _array(self) -> list[Value]:
        self._deeper()
        items: list[Value] = []
        while (following := self._space()) != ord("]"):
            if items:
                if following != ord(","):
                    self._fail_ahead()
                self._at += 1
                if self._space() in (None, ord("]")):
                    self._fail_ahead()
            elif following is None:
                self._fail_ahead()
            items.append(self.value())
        self._at += 1
        self._depth += 1
        return items

    def _object(self) -> dict[str, Value]:
        self._deeper()
        fields: dict[str, Value] = {}
        first = True
        while (following := self._space()) != ord("}"):
            if not first:
                if following != ord(","):
                    self._fail_ahead()
                self._at += 1
                following = self._space()
            first = False
            if following != ord('"'):
                self._fail_ahead()
            self._at += 1
            name = self._string()
            if self._space() != ord(":"):
                self._fail_ahead()
            self._at += 1
            fields[name] = self.value()
        self._at += 1
        self._depth += 1
        return fields

    def _deeper(self) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._fail_ahead()
        self._at += 1

    def _string(self) -> str:
        parts: list[str] = []
        while True:
            plain = _PLAIN.match(self._data, self._at)
            if plain is not None:
                parts.append(plain[0].decode())
                self._at = plain.end()
            stop = self._next()
            if stop == ord('"'):
                return "".join(parts)
            if stop != ord("\\"):
                self._fail()
            escape = self._next()
            if escape == ord("u"):
                parts.append(self._escaped())
            elif escape in _ESCAPES:
                parts.append(_ESCAPES[escape])
            else:
                self._fail()

    def _escaped(self) -> str:
        unit = self._hex()
        if 0xDC00 <= unit <= 0xDFFF:
            self._fail()
        if not 0xD800 <= unit <= 0xDBFF:
            return chr(unit)
        for expected in b"\\u":
            if self._next() != expected:
                self._fail()
        trail = self._hex()
        if not 0xDC00 <= trail <= 0xDFFF:
            self._fail()
        return chr(0x10000 + ((unit - 0xD800) << 10) + trail - 0xDC00)

    def _hex(self) -> int:
        digits = _HEX.match(self._data, self._at)
        self._at = min(self._at + 4, len(self._data))
        if digits is None:
            self._fail()
        return int(digits[0], 16)

    def _number(self, positive: bool) -> int | float:
        first = self._next()
        if first is None or not ord("0") <= first <= ord("9"):
            self._fail()
        significand = first - ord("0")
        exponent = 0
        if significand == 0:
            if self._digit() is not None:
                self._fail_ahead()
        else:
            while (digit := self._digit()) is not None:
                # From the first digit on that does not fit, digits are only counted.
                if exponent > 0 or significand * 10 + digit > _U64:
                    exponent += 1
                else:
                    significand = significand * 10 + digit
                self._at += 1
        following = self._peek()
        if following == ord("."):
            return self._decimal(positive, significand, exponent)
        if following is not None and following in b"eE":
            return self._exponent(positive, significand, exponent)
        if exponent > 0:
            return self._scaled(positive, significand, exponent)
        if positive:
            return significand
        return -significand if 0 < significand <= -_I64 else -float(significand)

    def _decimal(self, positive: bool, significand: int, exponent: int) -> float:
        self._at += 1
        before = exponent
        full = False
        while (digit := self._digit()) is not None:
            full = full or significand * 10 + digit > _U64
            if not full:
                significand = significand * 10 + digit
                exponent -= 1
            self._at += 1
        if exponent == before and not full:
            self._fail_ahead()
        following = self._peek()
        if following is not None and following in b"eE":
            return self._exponent(positive, significand, exponent)
        return self._scaled(positive, significand, exponent)

    def _exponent(self, positive: bool, significand: int, start: int) -> float:
        self._at += 1
        sign = self._peek()
        if sign is not None and sign in b"+-":
            self._at += 1
        first = self._next()
        if first is None or not ord("0") <= first <= ord("9"):
            self._fail()
        exponent = first - ord("0")
        while (digit := self._digit()) is not None:
            self._at += 1
            exponent = exponent * 10 + digit
            if exponent > _I32:
                if significand != 0 and sign != ord("-"):
                    self._fail()
                while self._digit() is not None:
                    self._at += 1
                return 0.0 if positive else -0.0
        return self._scaled(positive, significand, start - exponent if sign == ord("-") else start + exponent)

    def _scaled(self, positive: bool, significand: int, exponent: int) -> float:
        number = float(significand)
        while abs(exponent) >= len(_POWERS) and number != 0.0:
            if exponent > 0:
                self._fail()
            number /= 1e308
            exponent += 308
        if abs(exponent) < len(_POWERS):
            number = number * _POWERS[exponent] if exponent >= 0 else number / _POWERS[-exponent]
            if number == float("inf"):
                self._fail()
        return number if positive else -number

    def _space(self) -> int | None:
        space = _SPACE.match(self._data, self._at)
        if space is not None:
            self._at = space.end()
        return self._peek()

    def _peek(self) -> int | None:
        return self._data[self._at] if self._at < len(self._data) else None

    def _digit(self) -> int | None:
        byte = self._peek()
        return byte - ord("0") if byte is not None and ord("0") <= byte <= ord("9") else None

    def _next(self) -> int | None:
        byte = self._peek()
        self._at += byte is not None
        return byte

    def _fail(self) -> NoReturn:
        """The byte just read is wrong."""
        self._fail_at(self._at)

    def _fail_ahead(self) -> NoReturn:
        """The byte to be read is wrong."""
        self._fail_at(min(len(self._data), self._at + 1))

    def _fail_at(self, place: int) -> NoReturn:
        start = self._data.rfind(b"\n", 0, place) + 1
        raise NotJson(1 + self._data.count(b"\n", 0, start), place - start)
