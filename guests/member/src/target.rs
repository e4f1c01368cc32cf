//! The fields of WeCom's `user/create` that a rules file can fill.

/// A field, or one attribute of `extattr`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A WeCom field with a shape known to this guest.
    Field(Field),
    /// `extattr.<name>`: a text attribute defined by the corp.
    Attribute(String),
}

/// A field of `user/create`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// `userid`
    Userid,
    /// `name`
    Name,
    /// `mobile`
    Mobile,
    /// `email`
    Email,
    /// `department`
    Department,
    /// `order`
    Order,
    /// `is_leader_in_dept`
    IsLeaderInDept,
    /// `main_department`
    MainDepartment,
    /// `direct_leader`
    DirectLeader,
    /// `position`
    Position,
    /// `alias`
    Alias,
    /// `gender`
    Gender,
    /// `telephone`
    Telephone,
    /// `address`
    Address,
    /// `biz_mail`
    BizMail,
    /// `enable`
    Enable,
    /// `to_invite`
    ToInvite,
    /// `external_position`
    ExternalPosition,
    /// `external_profile`
    ExternalProfile,
    /// `extattr`
    Extattr,
    /// `avatar_mediaid`
    AvatarMediaid,
    /// `nickname`
    Nickname,
}

/// Every field with its name in WeCom.
pub(crate) const FIELDS: [(&str, Field); 22] = [
    ("userid", Field::Userid),
    ("name", Field::Name),
    ("mobile", Field::Mobile),
    ("email", Field::Email),
    ("department", Field::Department),
    ("order", Field::Order),
    ("is_leader_in_dept", Field::IsLeaderInDept),
    ("main_department", Field::MainDepartment),
    ("direct_leader", Field::DirectLeader),
    ("position", Field::Position),
    ("alias", Field::Alias),
    ("gender", Field::Gender),
    ("telephone", Field::Telephone),
    ("address", Field::Address),
    ("biz_mail", Field::BizMail),
    ("enable", Field::Enable),
    ("to_invite", Field::ToInvite),
    ("external_position", Field::ExternalPosition),
    ("external_profile", Field::ExternalProfile),
    ("extattr", Field::Extattr),
    ("avatar_mediaid", Field::AvatarMediaid),
    ("nickname", Field::Nickname),
];

impl Target {
    /// The target of a name such as `mobile` or `extattr.工号`.
    pub fn named(name: &str) -> Option<Self> {
        if let Some(attribute) = name.strip_prefix("extattr.") {
            return (!attribute.trim().is_empty()).then(|| Target::Attribute(attribute.trim().to_owned()));
        }
        FIELDS.iter().find(|(known, _)| *known == name).map(|(_, field)| Target::Field(*field))
    }

    /// The field of WeCom.
    pub fn field(&self) -> Field {
        match self {
            Target::Field(field) => *field,
            Target::Attribute(_) => Field::Extattr,
        }
    }
}

impl Field {
    /// The name in WeCom.
    pub fn name(self) -> &'static str {
        FIELDS.iter().find(|(_, field)| *field == self).map_or("", |(name, _)| name)
    }

    /// True if the field is compared by machines, so that its text is normalised to NFKC by default.
    pub fn is_identifier(self) -> bool {
        !matches!(
            self,
            Field::Name
                | Field::Position
                | Field::Alias
                | Field::Address
                | Field::ExternalPosition
                | Field::Extattr
                | Field::Nickname
        )
    }

    /// True if a partial value could be another person's: a template of several fields is missing if any of them is.
    pub fn is_identity(self) -> bool {
        matches!(self, Field::Userid | Field::Mobile | Field::Email | Field::BizMail)
    }

    /// True if the value identifies a person, so that only suitable shapes of value are accepted.
    pub fn is_personal(self) -> bool {
        self.is_identity() || matches!(self, Field::Name | Field::DirectLeader)
    }

    /// True if people write `无` or `/` here for "none", which the field cannot contain.
    pub fn is_contact(self) -> bool {
        matches!(self, Field::Mobile | Field::Email | Field::BizMail | Field::Telephone)
    }

    /// True if the field holds a list.
    pub fn is_list(self) -> bool {
        matches!(self, Field::Department | Field::Order | Field::IsLeaderInDept | Field::DirectLeader)
    }
}
