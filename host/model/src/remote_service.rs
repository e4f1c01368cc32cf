//! The two services between which ruzhi keeps the members in step.

use serde::{Deserialize, Serialize};

use super::text::Text;

/// A service that is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RemoteService {
    /// 企业微信.
    Wecom,
    /// 简道云.
    Jiandaoyun,
}

impl RemoteService {
    /// Its name in labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wecom => "wecom",
            Self::Jiandaoyun => "jiandaoyun",
        }
    }

    /// Its name for a person.
    pub fn name(self) -> Text {
        match self {
            Self::Wecom => Text::new("WeCom", "企业微信"),
            Self::Jiandaoyun => Text::new("JianDaoYun", "简道云"),
        }
    }
}
