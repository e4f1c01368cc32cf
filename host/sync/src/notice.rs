//! Remarks on a run for a person, none of which makes it fail.

use chrono::TimeDelta;

use super::service_time::AGREE;
use ruzhi_model::{Sighting, Text};

/// A service whose clock is compared with this machine's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockSource {
    /// 简道云, which the rows are read from.
    JianDaoYun,
    /// 企业微信.
    WeCom,
}

/// A remark on a run for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// This machine's clock and a service's differ.
    ClockOff {
        /// The service.
        service: ClockSource,
        /// Seconds that this machine is ahead of the service, or behind it if negative.
        ahead: i64,
    },
    /// The whole form was read, now and before, and no row was ever found.
    NoRow {
        /// A filter restricts the rows.
        filtered: bool,
        /// The filter asks for a workflow's state, and the form has no workflow.
        no_workflow: bool,
    },
}

impl Notice {
    /// The difference to a service's clock, if it is more than a minute.
    pub(super) fn of_clock(service: ClockSource, sighting: Option<Sighting>) -> Option<Self> {
        let sighting = sighting?;
        let ahead = -sighting.ahead();
        let off = ahead.abs() - sighting.tolerance() > AGREE - TimeDelta::milliseconds(500);
        // To the nearest second: half of one is a guess.
        let ahead = ahead.num_milliseconds();
        off.then_some(Self::ClockOff { service, ahead: (ahead + 500 * ahead.signum()) / 1000 })
    }

    /// The condition and its subject.
    pub fn text(&self) -> Text {
        match self {
            Self::ClockOff { service, ahead } => {
                let seconds = ahead.unsigned_abs();
                let by = if seconds < 120 {
                    Text::new(format!("{seconds} seconds"), format!("{seconds} 秒"))
                } else {
                    let minutes = (seconds + 30) / 60;
                    Text::new(format!("{minutes} minutes"), format!("{minutes} 分钟"))
                };
                let (way, zh_way) = if *ahead > 0 { ("ahead of", "快") } else { ("behind", "慢") };
                let (service, zh_service) = match service {
                    ClockSource::JianDaoYun => ("JianDaoYun's", "简道云"),
                    ClockSource::WeCom => ("WeCom's", "企业微信"),
                };
                Text::new(
                    format!("this machine's clock is {} {way} {service}", by.en),
                    format!("本机时钟比{zh_service}{zh_way} {}", by.zh),
                )
            }
            Self::NoRow { no_workflow: true, .. } => Text::new(
                "the form gave no row: the filter asks for `flowState`, and the form has no workflow, so no row has one",
                "表单没有返回任何数据：筛选条件使用了 flowState，但该表单没有流程，数据中没有此字段",
            ),
            Self::NoRow { filtered: true, .. } => Text::new(
                "the form gave no row: it is empty, or no row passes the filter",
                "表单没有返回任何数据：表单为空，或没有数据符合筛选条件",
            ),
            Self::NoRow { .. } => {
                Text::new("the form gave no row: it is empty", "表单没有返回任何数据：表单为空")
            }
        }
    }

    /// The next step for the reader.
    pub fn hint(&self) -> Text {
        match self {
            Self::ClockOff { .. } => Text::new(
                "turn on time synchronisation (`timedatectl set-ntp true`): rows are read by JianDaoYun's clock, but schedules and dates that rules compare with today go by this machine's",
                "请开启时间同步（`timedatectl set-ntp true`）：读取数据以简道云的时间为准，但定时与规则中的“今天”取自本机时钟",
            ),
            Self::NoRow { no_workflow: true, .. } => Text::new(
                "take the condition on `flowState` out of the filter, or check `app_id` and `entry_id`",
                "请从筛选条件中去掉 flowState，或检查 app_id 与 entry_id",
            ),
            Self::NoRow { .. } => Text::new(
                "if the form has rows, check the filter, `app_id` and `entry_id`",
                "如果表单中已有数据，请检查筛选条件、app_id 与 entry_id",
            ),
        }
    }

    /// Text and hint in one.
    fn whole(&self) -> Text {
        let (text, hint) = (self.text(), self.hint());
        Text::new(format!("{}; {}", text.en, hint.en), format!("{}；{}", text.zh, hint.zh))
    }
}

/// A run's problem together with the remarks for a person.
pub(super) fn with_notices(problem: Option<Text>, notices: &[Notice]) -> Option<Text> {
    let texts = problem.into_iter().chain(notices.iter().map(Notice::whole));
    texts.reduce(|one, other| {
        Text::new(format!("{}; {}", one.en, other.en), format!("{}；{}", one.zh, other.zh))
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn sighting(ahead: i64, took: u64) -> Option<Sighting> {
        let sent: chrono::DateTime<chrono::Utc> = "2026-05-01T08:00:00Z".parse().unwrap();
        // The date is cut to the second; half of one is added back.
        let date = sent + TimeDelta::seconds(ahead) + TimeDelta::milliseconds(500 * took as i64 - 500);
        Some(Sighting { date, sent, took: Duration::from_secs(took), seen: Instant::now() })
    }

    #[test]
    fn a_clock_is_off_by_more_than_a_minute() {
        for (ahead, took, off) in
            [(0, 0, false), (60, 0, false), (-60, 0, false), (61, 0, true), (-61, 0, true), (70, 30, false)]
        {
            let notice = Notice::of_clock(ClockSource::WeCom, sighting(ahead, took));
            assert_eq!(notice.is_some(), off, "{ahead} s, told in {took} s: {notice:?}");
        }
        assert_eq!(Notice::of_clock(ClockSource::WeCom, None), None);
    }

    #[test]
    fn whose_clock_is_off_is_said_in_both_languages() {
        let behind = Notice::of_clock(ClockSource::JianDaoYun, sighting(1800, 0)).unwrap();
        assert_eq!(behind.text().en, "this machine's clock is 30 minutes behind JianDaoYun's");
        assert_eq!(behind.text().zh, "本机时钟比简道云慢 30 分钟");
        let ahead = Notice::of_clock(ClockSource::WeCom, sighting(-90, 0)).unwrap();
        assert_eq!(ahead.text().en, "this machine's clock is 90 seconds ahead of WeCom's");
        assert_eq!(ahead.text().zh, "本机时钟比企业微信快 90 秒");
    }

    #[test]
    fn minutes_are_the_nearest() {
        for (ahead, en) in
            [(1799, "30 minutes"), (1829, "30 minutes"), (1831, "31 minutes"), (119, "119 seconds")]
        {
            let text = Notice::ClockOff { service: ClockSource::WeCom, ahead }.text();
            assert!(text.en.contains(en), "{ahead}: {}", text.en);
        }
    }

    #[test]
    fn a_notice_stands_beside_a_problem() {
        let notice = Notice::NoRow { filtered: true, no_workflow: true };
        assert_eq!(with_notices(None, &[]), None);
        let told = with_notices(Some(Text::new("a", "甲")), &[notice.clone(), notice]).unwrap();
        assert!(
            told.en.starts_with("a; the form gave no row") && told.en.matches("`flowState`").count() == 4
        );
        assert!(told.zh.starts_with("甲；表单没有返回任何数据"), "{}", told.zh);
    }
}
