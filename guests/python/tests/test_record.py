"""Tests which values the getters of a record skip, reject and note, and which rejections follow from another."""

from __future__ import annotations

import json
import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from test_answers import ruzhi  # noqa: E402

from ruzhi import Clock, Context, Description, Fault, Mapping, Member, Outcome, Problems, Record, SourceRecord  # noqa: E402
from ruzhi import Leave, Reject, Upsert, decide  # noqa: E402


class Rules(Mapping):
    """Reads each field by its getter, and has its own rule on the account."""

    @classmethod
    def load(cls, config: str) -> Rules:
        return cls()

    def describe(self) -> Description:
        return Description("rules", "1", [], [])

    def decide(self, clock: Clock, record: Record) -> Outcome:
        if record.date("left", clock) is not None:
            return Outcome(Leave(record.userid("account")))
        problems = Problems()
        member = Member(problems.take(record.userid, "account"), problems.take(record.name, "who"))
        if member.userid.startswith("X"):
            problems.add(Fault("factory.account", "不是本厂帐号", "no account of this factory").at("account"))
            member.userid = ""
        member.mobile = problems.take(record.mobile, "phone")
        member.email = problems.take(record.email, "mail")
        member.direct_leader = problems.take(record.leaders, "boss")
        return problems.finish(member)

    def source_of(self, field: str) -> str | None:
        return {"userid": "account", "name": "who", "mobile": "phone", "email": "mail"}.get(field)


def outcome(**fields: Any) -> Outcome:
    row = {"account": "A1", "who": "张三", "phone": "13800138000", **fields}
    context = Context("2026-05-01T08:00:00Z", "Asia/Shanghai")
    [outcome] = decide(Rules, "", context, [SourceRecord("1", json.dumps(row))])
    return outcome


class Getters(unittest.TestCase):
    def refused(self, **fields: Any) -> list[tuple[str, str]]:
        decision = outcome(**fields).decision
        assert isinstance(decision, Reject), decision
        return [(one.field, one.rule) for one in decision.violations]

    def member(self, **fields: Any) -> Member:
        decision = outcome(**fields).decision
        assert isinstance(decision, Upsert), decision
        return decision.member

    def test_no_identity_comes_out_of_the_wrong_shape(self) -> None:
        for value in (True, False, 1001.5, 2**53, {"id": "x"}, {"username": True}, "false"):
            for field in ("account", "who", "phone", "mail", "boss"):
                with self.subTest(field=field, value=value):
                    self.assertEqual(self.refused(**{field: value}), [(field, "value.shape")])
        self.assertEqual(self.refused(account=["a", "b"]), [("account", "value.shape")])
        self.assertEqual(self.member(account=1002.0).userid, "1002")
        self.assertEqual(self.member(account={"username": "lisi", "name": "李四"}).userid, "lisi")
        self.assertEqual(self.member(boss=[{"username": "lisi"}]).direct_leader, ["lisi"])

    def test_a_word_for_nothing_is_nothing_in_a_contact(self) -> None:
        found = outcome(mail="N/A", boss="无")
        assert isinstance(found.decision, Upsert)
        self.assertEqual((found.decision.member.email, found.decision.member.direct_leader), ("", []))
        self.assertEqual(len(found.notes), 2)
        self.assertEqual(self.refused(phone="无"), [("phone", "contact.missing")])

    def test_a_zero_date_is_none_and_one_far_ahead_is_a_date(self) -> None:
        found = outcome(left="1900-01-01")
        self.assertIsInstance(found.decision, Upsert)
        self.assertEqual(len(found.notes), 1)
        self.assertIsInstance(outcome(left="9999-12-31").decision, Leave)

    def test_a_refusal_silences_what_stands_in_for_its_field(self) -> None:
        self.assertEqual(self.refused(account="X1"), [("account", "factory.account")])
        self.assertEqual(
            self.refused(account="X1", who="", phone=""),
            [("who", "name.empty"), ("account", "factory.account"), ("phone", "contact.missing")],
        )


assert ruzhi

if __name__ == "__main__":
    unittest.main()
