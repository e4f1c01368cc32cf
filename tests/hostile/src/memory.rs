//! Values in a guest's memory layout (the component model's canonical ABI).

use ruzhi_guest::contract::{Decision, Member, Outcome, Text, Violation};

/// Address of the answer of [`echo`](crate::echo): above its arguments, which start at 1 KiB.
pub const BASE: u32 = 4 << 20;

/// A region of a guest's memory. Data that a value points at lies in the region too, after it.
#[derive(Debug, Clone)]
pub struct Memory {
    base: u32,
    bytes: Vec<u8>,
}

/// Bytes of one outcome.
const OUTCOME: u32 = 188;

impl Memory {
    /// An empty region that begins at an address.
    pub fn at(base: u32) -> Self {
        Self { base, bytes: Vec::new() }
    }

    /// The region.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The answer of a `decide` that gives these outcomes, as [`echo`](crate::echo) gives it.
    pub fn answer(outcomes: &[Outcome]) -> Self {
        let mut memory = Self::at(BASE);
        let answer = memory.room(12, 4);
        let list = memory.list(outcomes, OUTCOME, |memory, at, outcome| memory.outcome(at, outcome));
        memory.pair(answer + 4, list);
        memory
    }

    /// The answer of a `decide` whose list of outcomes has this address and length, true or not.
    pub fn claiming(address: u32, length: u32) -> Self {
        let mut memory = Self::at(BASE);
        let answer = memory.room(12, 4);
        memory.pair(answer + 4, (address, length));
        memory
    }

    /// The answer of a `decide` that gives up on the batch.
    pub fn giving_up(code: (u32, u32), message: (u32, u32)) -> Self {
        let mut memory = Self::at(BASE);
        let answer = memory.room(20, 4);
        memory.byte(answer, 1);
        memory.pair(answer + 4, code);
        memory.pair(answer + 12, message);
        memory
    }

    /// The answer of a `describe`, at the region's beginning.
    pub fn description(&mut self, name: &str, version: &str, source_fields: &[&str]) {
        let answer = self.room(36, 4);
        let name = self.text(name);
        self.pair(answer + 4, name);
        let version = self.text(version);
        self.pair(answer + 12, version);
        let fields = self.list(source_fields, 8, |memory, at, field| {
            let field = memory.text(field);
            memory.pair(at, field);
        });
        self.pair(answer + 20, fields);
    }

    /// Reserves zeroed space for a value and returns its address.
    pub fn room(&mut self, size: u32, align: u32) -> u32 {
        let end = self.base + u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        let address = end.next_multiple_of(align);
        self.bytes.resize((address + size - self.base) as usize, 0);
        address
    }

    /// A text, and its address and length.
    pub fn text(&mut self, text: &str) -> (u32, u32) {
        self.raw(text.as_bytes())
    }

    /// Bytes that need not be UTF-8, and their address and length.
    pub fn raw(&mut self, bytes: &[u8]) -> (u32, u32) {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let address = self.room(length, 1);
        self.write(address, bytes);
        (address, length)
    }

    /// Address and length of a text or list, at an address.
    pub fn pair(&mut self, at: u32, (address, length): (u32, u32)) {
        self.write(at, &address.to_le_bytes());
        self.write(at + 4, &length.to_le_bytes());
    }

    /// A byte at an address.
    pub fn byte(&mut self, at: u32, byte: u8) {
        self.write(at, &[byte]);
    }

    fn word(&mut self, at: u32, word: u32) {
        self.write(at, &word.to_le_bytes());
    }

    fn write(&mut self, at: u32, bytes: &[u8]) {
        let start = (at - self.base) as usize;
        if let Some(place) = self.bytes.get_mut(start..start + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }

    fn list<T>(&mut self, items: &[T], size: u32, write: impl Fn(&mut Self, u32, &T)) -> (u32, u32) {
        let length = u32::try_from(items.len()).unwrap_or(u32::MAX);
        let address = self.room(length * size, 4);
        for (index, item) in (0..length).zip(items) {
            write(self, address + index * size, item);
        }
        (address, length)
    }

    fn texts<'a>(&mut self, at: u32, texts: impl IntoIterator<Item = &'a str>) {
        for (index, text) in (0..).zip(texts) {
            let text = self.text(text);
            self.pair(at + index * 8, text);
        }
    }

    fn outcome(&mut self, at: u32, outcome: &Outcome) {
        let payload = at + 4;
        match &outcome.decision {
            Decision::Upsert(member) => self.member(payload, member),
            Decision::Leave(userid) => {
                self.byte(at, 1);
                self.texts(payload, [userid.as_str()]);
            }
            Decision::Ignore(reason) => {
                self.byte(at, 2);
                self.texts(payload, [reason.as_str()]);
            }
            Decision::Reject(violations) => {
                self.byte(at, 3);
                let list = self.list(violations, 32, |memory, at, violation| {
                    let Violation { field, rule, message: Text { zh, en } } = violation;
                    let texts = [field, rule, zh, en];
                    memory.texts(at, texts.map(String::as_str));
                });
                self.pair(payload, list);
            }
        }
        let notes = self.list(&outcome.notes, 8, |memory, at, note| memory.texts(at, [note.as_str()]));
        self.pair(at + 168, notes);
        self.optional(at + 176, &outcome.holds_until);
    }

    fn member(&mut self, at: u32, member: &Member) {
        self.texts(at, [member.userid.as_str(), member.name.as_str()]);
        self.optional(at + 16, &member.mobile);
        self.optional(at + 28, &member.email);
        let memberships = self.list(&member.memberships, 16, |memory, at, membership| {
            memory.word(at, membership.department);
            memory.byte(at + 4, membership.leader.into());
            memory.optional_word(at + 8, membership.order);
        });
        self.pair(at + 40, memberships);
        self.optional_word(at + 48, member.main_department);
        let after = [&member.position, &member.alias, &member.gender, &member.telephone, &member.address];
        for (index, text) in (0..).zip(after) {
            self.optional(at + 56 + index * 12, text);
        }
        if let Some(leaders) = &member.direct_leader {
            self.byte(at + 116, 1);
            let leaders = self.list(leaders, 8, |memory, at, leader| memory.texts(at, [leader.as_str()]));
            self.pair(at + 120, leaders);
        }
        self.optional(at + 128, &member.biz_mail);
        self.optional(at + 140, &member.external_position);
        for (at, flag) in [(at + 152, member.enable), (at + 154, member.to_invite)] {
            if let Some(flag) = flag {
                self.byte(at, 1);
                self.byte(at + 1, flag.into());
            }
        }
        let extra = self.list(&member.extra, 16, |memory, at, (name, json)| {
            memory.texts(at, [name.as_str(), json.as_str()]);
        });
        self.pair(at + 156, extra);
    }

    fn optional(&mut self, at: u32, text: &Option<String>) {
        if let Some(text) = text {
            self.byte(at, 1);
            self.texts(at + 4, [text.as_str()]);
        }
    }

    fn optional_word(&mut self, at: u32, word: Option<u32>) {
        if let Some(word) = word {
            self.byte(at, 1);
            self.word(at + 4, word);
        }
    }
}
