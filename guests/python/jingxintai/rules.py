"""The rules of the factory 景欣泰, written in code: the example to copy.

Its onboarding form has five fields that matter, named by their widget ids, and a finished row becomes one member of
WeCom. To make a factory's own guest, change the fields and say in ``decide`` what the form means.
``ruzhi guest build`` makes the component.
"""

from ruzhi import Clock, Description, GuestError, Mapping, Member, Outcome, Problems, Record, export

# The form's fields. JianDaoYun names a field by its alias if the designer gave it one, else by its widget id.
USERID = "_widget_1681087902876"
NAME = "_widget_1675653229901"
MOBILE = "_widget_1680875447221"
DEPARTMENT = "_widget_1680156501787"
POSITION = "_widget_1680750424796"

# (form field, WeCom field, what the form calls it).
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

    # What a config is refused for, the operator reads when the guest is loaded, not when the first row comes.
    @classmethod
    def load(cls, config: str) -> "Rules":
        if config.strip():
            raise GuestError(
                "config.invalid",
                "该规则组件没有可配置项，请去掉 config / this guest has no settings. Remove `config` from the flow",
            )
        return cls()

    # The host asks the form for these fields and no others, and names them by these labels to the clerk.
    def describe(self) -> Description:
        return Description(
            name="jingxintai",
            version="0.1.0",
            source_fields=[source for source, _, _ in FIELDS],
            labels=[pair for source, target, label in FIELDS for pair in ((source, label), (target, label))],
        )

    def decide(self, clock: Clock, record: Record) -> Outcome:
        # Each getter cleans, reads and checks. `take` keeps the violation and goes on, so that the clerk hears of
        # everything that is wrong with the row at once.
        problems = Problems()
        member = Member(
            userid=problems.take(record.userid, USERID),
            name=problems.take(record.name, NAME),
            mobile=problems.take(record.mobile, MOBILE),
            memberships=problems.take(record.departments, DEPARTMENT),
            position=problems.take(record.text, POSITION),
            # The factory wants everyone invited. Without this line ruzhi would tell WeCom to invite nobody.
            to_invite=True,
            # What is not named here, these rules do not speak of, and ruzhi never changes it.
        )
        return problems.finish(member)

    # A rule of WeCom that the finished member breaks is told in the name of the form's field.
    def source_of(self, field: str) -> str | None:
        return SOURCES.get(field)
