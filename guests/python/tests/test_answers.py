"""Compares the SDK's answers with those of the Rust SDK: ``guests/answers.json`` holds its answers.

``python3 -m unittest discover guests/python/tests``; any CPython from 3.11 on.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import unittest
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent


def load_sdk() -> ModuleType:
    """The SDK's folder as the package ``ruzhi``, as in a project."""
    folder = HERE.parent / "sdk"
    spec = importlib.util.spec_from_file_location("ruzhi", folder / "__init__.py", submodule_search_locations=[str(folder)])
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["ruzhi"] = module
    spec.loader.exec_module(module)
    return module


sys.dont_write_bytecode = True
ruzhi = load_sdk()

from ruzhi import Fault, GuestError, Member, Membership, Moment, Zone  # noqa: E402
from ruzhi import date, department, email, extra, fault, jsontext, mobile, rule, text, value  # noqa: E402


def held(check: Callable[..., None], *inputs: Any) -> str:
    check(*inputs)
    return ""


def flag(answer: bool) -> str:
    return "true" if answer else "false"


def moment(read: Moment, zone: Zone) -> str:
    return f"{read.iso8601} {read.timestamp_ms} {read.start_of_day(zone).iso8601}"


def at(written: str, name: str) -> str:
    zone = Zone.named(name)
    return moment(date.parse(written, zone), zone)


def by_pattern(written: str, pattern: str) -> str:
    zone = Zone.named("Asia/Shanghai")
    return moment(date.parse_pattern(written, pattern, zone), zone)


def dated(read: Any) -> str:
    zone = Zone.named("Asia/Shanghai")
    found = date.parse_value(read, zone)
    return "empty" if found is None else moment(found, zone)


def cleaned(written: str, settings: str) -> str:
    case: Any = "lower" if "l" in settings else "upper" if "u" in settings else None
    chosen = {"trim": "t" in settings, "nfkc": "n" in settings, "collapse": "c" in settings}
    return text.Cleaning(**chosen, case=case, strip="-_１").apply(written)


def broken(written: str) -> str:
    fields = json.loads(written)
    fields["memberships"] = [Membership(**one) for one in fields.get("memberships", [])]
    fields["extra"] = [tuple(pair) for pair in fields.get("extra", [])]
    return "\n".join(f"{one.field} {one.rule}: {one.message.both}" for one in rule.check(Member(**fields)))


def of_value(answer: Callable[[Any], str]) -> Callable[[str], str]:
    def answered(written: str) -> str:
        try:
            read = jsontext.read(written)
        except jsontext.NotJson as error:
            return f"not JSON at {error.line}:{error.column}"
        return answer(read)

    return answered


FUNCTIONS: dict[str, Callable[..., str]] = {
    "json": of_value(value.json),
    "is-empty": of_value(lambda read: flag(value.is_empty(read))),
    "value-text": of_value(value.text),
    "identity": of_value(value.identity),
    "placeholder": of_value(lambda read: "" if value.placeholder(read) is None else "nothing"),
    "list": of_value(lambda read: value.json(value.items(read))),
    "boolean": of_value(lambda read: flag(value.boolean(read))),
    "integer": of_value(lambda read: str(value.integer(read))),
    "number": of_value(lambda read: value.json(value.number(read))),
    "departments": of_value(lambda read: value.json(department.parse(read))),
    "date-value": of_value(dated),
    "fold": text.fold,
    "line": text.line,
    "identifier": text.identifier,
    "cleaning": cleaned,
    "show": fault.show,
    "mobile": lambda written: str(mobile.parse(written)),
    "mobile-at-home": lambda written, home: str(mobile.parse(written, int(home))),
    "mobile-check": lambda written: held(mobile.check, written),
    "email": email.parse,
    "gender": rule.parse_gender,
    "telephone": rule.parse_telephone,
    "date": at,
    "date-pattern": by_pattern,
    "extra": lambda field, written: held(extra.check, field, written),
    "member": broken,
}


def answer(function: str, inputs: list[str]) -> str:
    try:
        return FUNCTIONS[function](*inputs)
    except Fault as error:
        return f"{error.rule}: {error.message.both}"
    except GuestError as error:
        return f"{error.code}: {error.message}"


class Answers(unittest.TestCase):
    def test_every_answer_is_that_of_the_rust_sdk(self) -> None:
        rows = json.loads((HERE.parent.parent / "answers.json").read_text(encoding="utf-8"))
        self.assertGreater(len(rows), 1_000)
        for function, *inputs, expected in rows:
            with self.subTest(function=function, inputs=inputs):
                self.assertEqual(answer(function, inputs), expected)


if __name__ == "__main__":
    unittest.main()
