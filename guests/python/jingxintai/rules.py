"""The rules of the factory 景欣泰, written in code: the example to copy.

Its onboarding form has five fields that matter, named by their widget ids, and a finished row becomes one member of
WeCom. To make a factory's own guest, change the fields and their meaning in ``decide``.
``ruzhi guest build`` makes the component.
"""

from ruzhi import Clock, Description, GuestError, Mapping, Member, Outcome, Problems, Record, export

# The form's fields. JianDaoYun names a field by its alias if the designer gave it one, else by its widget id.
USERID = "_widget_1681087902876"
NAME = "_widget_1675653229901"
MOBILE = "_widget_1680875447221"
DEPARTMENT = "_widget_1680156501787"
POSITION = "_widget_1680750424796"

# (form field, WeCom field, label in the form).
FIELDS = [
    (USERID, "userid", "成员UserID"),
    (NAME, "name", "成员名称"),
    (MOBILE, "mobile", "手机号码"),
    (DEPARTMENT, "department", "成员所属部门id列表"),
    (POSITION, "position", "职务信息"),
]
SOURCES = {target: source for source, target, _ in FIELDS}


@export
class Rules(Mapping):
    """The factory's rules. They have no settings; a guest with settings parses them in ``load`` and keeps them."""

    # An invalid config is reported when the guest is loaded, not at the first row.
    @classmethod
    def load(cls, config: str) -> "Rules":
        if config.strip():
            raise GuestError(
                "config.invalid",
                "该规则组件没有可配置项，请去掉 config / this guest has no settings. Remove `config` from the flow",
            )
        return cls()

    # The host requests only these fields of the form, and shows them to the clerk under these labels.
    def describe(self) -> Description:
        return Description(
            name="jingxintai",
            version="0.1.0",
            source_fields=[source for source, _, _ in FIELDS],
            labels=[pair for source, target, label in FIELDS for pair in ((source, label), (target, label))],
        )

    def decide(self, clock: Clock, record: Record) -> Outcome:
        # Each getter cleans, reads and checks. `take` collects the violation and continues, so that the
        # clerk sees all problems of the row at once.
        problems = Problems()
        member = Member(
            userid=problems.take(record.userid, USERID),
            name=problems.take(record.name, NAME),
            mobile=problems.take(record.mobile, MOBILE),
            memberships=problems.take(record.departments, DEPARTMENT),
            position=problems.take(record.text, POSITION),
            # The factory wants everyone invited. Without this line ruzhi would tell WeCom to send no invitation.
            to_invite=True,
            # Fields not named here are not set by these rules, and ruzhi never changes them.
        )
        return problems.finish(member)

    # If the finished member breaks a rule of WeCom, the violation names the form's field.
    def source_of(self, field: str) -> str | None:
        return SOURCES.get(field)
