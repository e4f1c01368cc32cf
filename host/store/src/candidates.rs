//! The input of a plan: sums over everything, and only those records that may ask for something.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::database::{Database, Db, ROWS, once};
use crate::records::RecordKind;
use crate::row::{DbRow, RowReader, number};
use crate::{StoreError, records};
use ruzhi_model::{Decision, Digest, DigestOfParts, FlowId, MemberKey, Origin, RecordId, TenantId, UserId};
use ruzhi_plan::{
    Candidate, Claimant, Holder, Leader, Leaver, MemberClaim, RecordState, Resolution, Scope, Survey, Totals,
};

const RECORDS: &str = "records";

const RECORD_COLUMNS: &str = "SELECT r.id, r.rules, r.decision, r.failure, r.decision_hash, r.absent, r.fetched_run FROM record r WHERE r.tenant = ";

/// A record that names a member.
struct Asking {
    origin: Origin,
    member: MemberKey,
    /// It wants the member in the directory; otherwise it says that the member left.
    upserts: bool,
}

impl Database {
    /// Totals over all records and members, as a plan needs them.
    pub async fn survey_find(&self, scope: &Scope) -> Result<Survey, StoreError> {
        let claimants = self.claimants_list(scope).await?;
        Ok(Survey {
            totals: self.records_count_kinds(scope).await?,
            owned: self.ledger_count_owned(&scope.tenant).await?,
            stamp: self.world_stamp(scope).await?,
            holders: self.holders_find(scope, &claimants).await?,
            recent_leavers: self.departures_find_lately(scope).await?,
            claimants,
        })
    }

    async fn records_count_kinds(&self, scope: &Scope) -> Result<Totals, StoreError> {
        let rows = sqlx::query(
            "SELECT kind, COUNT(*) AS records FROM record WHERE tenant = $1 AND flow = $2 AND absent = 0 GROUP BY kind",
        )
        .bind(scope.tenant.as_str())
        .bind(scope.flow.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::read(RECORDS))?;
        let mut totals = Totals::default();
        let mut leaves = 0;
        for row in &rows {
            let row = RowReader { row, what: RECORDS };
            let count = row.count("records")?;
            match row.word("kind")? {
                RecordKind::Upsert => totals.upserts = count,
                RecordKind::Leave => leaves = count,
                RecordKind::Ignore => totals.ignored = count,
                RecordKind::Reject | RecordKind::Failed | RecordKind::Undecided => {}
            }
        }
        if leaves > 0 {
            let row = sqlx::query(
                "SELECT COUNT(*) AS records FROM record r WHERE r.tenant = $1 AND r.flow = $2 AND r.absent = 0 \
                 AND r.kind = 'leave' AND EXISTS (SELECT 1 FROM member m WHERE m.tenant = r.tenant \
                 AND m.decided_key = r.member_key)",
            )
            .bind(scope.tenant.as_str())
            .bind(scope.flow.as_str())
            .fetch_one(&self.pool)
            .await
            .map_err(StoreError::read(RECORDS))?;
            totals.leavers = RowReader { row: &row, what: RECORDS }.count("records")?;
            totals.strangers = leaves.saturating_sub(totals.leavers);
        }
        Ok(totals)
    }

    async fn ledger_count_owned(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS members FROM member WHERE tenant = $1 AND state IN ('active', 'left')",
        )
        .bind(tenant.as_str())
        .fetch_one(&self.pool)
        .await
        .map_err(StoreError::read(RECORDS))?;
        RowReader { row: &row, what: "the ledger" }.count("members")
    }

    /// Sums of the rows' stamps in two halves, which cannot overflow. Any change of any row changes them.
    async fn world_stamp(&self, scope: &Scope) -> Result<Digest, StoreError> {
        let mut digest = DigestOfParts::new();
        for table in ["record WHERE absent = 0 AND tenant = ", "member WHERE tenant = "] {
            for tenant in &scope.tenants {
                let mut query = sqlx::QueryBuilder::<Db>::new(
                    "SELECT COUNT(*) AS lines, CAST(COALESCE(SUM(stamp & 4294967295), 0) AS BIGINT) AS low, \
                     CAST(COALESCE(SUM((stamp >> 32) & 4294967295), 0) AS BIGINT) AS high FROM ",
                );
                query.push(table).push_bind(tenant.as_str().to_owned());
                let row = once(&mut query).fetch_one(&self.pool).await.map_err(StoreError::read(RECORDS))?;
                let row = RowReader { row: &row, what: RECORDS };
                digest.json(&(row.count("lines")?, row.get::<i64>("low")?, row.get::<i64>("high")?));
            }
        }
        Ok(digest.finish())
    }

    /// Records that name a member or a mobile number which another record of the corp names too.
    async fn claimants_list(&self, scope: &Scope) -> Result<Vec<Claimant>, StoreError> {
        let mut query = sqlx::QueryBuilder::<Db>::new("");
        for (at, (column, kinds)) in
            [("member_key", "('upsert', 'leave')"), ("mobile_key", "('upsert')")].into_iter().enumerate()
        {
            if at > 0 {
                query.push(" UNION ");
            }
            query.push(
                "SELECT tenant, flow, id, decision_hash, member_key, mobile_key, kind FROM record WHERE ",
            );
            push_tenants(&mut query, &scope.tenants);
            query.push(" AND absent = 0 AND kind IN ").push(kinds).push(" AND ").push(column);
            query.push(" IN (SELECT ").push(column).push(" FROM record WHERE ");
            push_tenants(&mut query, &scope.tenants);
            query.push(" AND absent = 0 AND kind IN ").push(kinds).push(" AND ").push(column);
            query.push(" IS NOT NULL GROUP BY ").push(column).push(" HAVING COUNT(*) > 1)");
        }
        query.push(" ORDER BY id, flow, tenant");
        let rows = once(&mut query).fetch_all(&self.pool).await.map_err(StoreError::read(RECORDS))?;
        rows.iter()
            .map(|row| {
                let row = RowReader { row, what: RECORDS };
                let claim = match row.word("kind")? {
                    RecordKind::Upsert => MemberClaim::Upsert(row.get("mobile_key")?),
                    _ => MemberClaim::Leave,
                };
                Ok(Claimant {
                    origin: Origin {
                        tenant: row.id("tenant")?,
                        flow: row.id("flow")?,
                        record: row.id("id")?,
                    },
                    decision: row.id("decision_hash")?,
                    member: MemberKey::of(&row.get::<String>("member_key")?),
                    claim,
                })
            })
            .collect()
    }

    async fn holders_find(
        &self,
        scope: &Scope,
        claimants: &[Claimant],
    ) -> Result<HashMap<MemberKey, Holder>, StoreError> {
        let keys: Vec<MemberKey> = claimants.iter().map(|claimant| claimant.member.clone()).collect();
        let entries = self.ledger_find_decided_as(&scope.tenant, &scope.tenants, &keys).await?;
        let holder = |entry: ruzhi_model::LedgerEntry| Holder {
            mobile: entry
                .written
                .mobile
                .as_deref()
                .filter(|m| !m.is_empty())
                .map(ruzhi_plan::comparable_mobile),
            owner: entry.owner,
        };
        let exist = entries.into_iter().filter(|(_, entry)| entry.exists());
        Ok(exist.map(|(key, entry)| (key, holder(entry))).collect())
    }

    /// A page of the flow's records that may ask for something, in the order of their ids. Skipped are records without
    /// a decision, those whose decision the ledger has as carried out, and those of a leaver with nothing left to do.
    pub async fn candidates_list(
        &self,
        scope: &Scope,
        after: Option<&RecordId>,
        most: usize,
    ) -> Result<Vec<Candidate>, StoreError> {
        // Only columns of one index are selected, so that the rows themselves, most of which are skipped, are not read.
        let mut query = sqlx::QueryBuilder::<Db>::new("SELECT r.id AS id FROM record r WHERE r.tenant = ");
        query.push_bind(scope.tenant.as_str()).push(" AND r.flow = ").push_bind(scope.flow.as_str());
        query.push(" AND r.id > ").push_bind(after.map_or("", RecordId::as_str));
        query.push(
            " AND ((r.absent = 0 AND r.kind <> 'ignore' AND (r.kind NOT IN ('upsert', 'leave') \
             OR (r.kind = 'upsert' AND NOT EXISTS (SELECT 1 FROM member m WHERE m.tenant = r.tenant \
                 AND m.decided_key = r.member_key AND m.state = 'active' AND m.doubtful = 0 AND m.flow = r.flow \
                 AND m.record = r.id AND m.decision_hash = r.decision_hash)) \
             OR (r.kind = 'leave' AND EXISTS (SELECT 1 FROM member m WHERE m.tenant = r.tenant \
                 AND m.decided_key = r.member_key AND (m.state IN ('active', 'removed') \
                 OR (m.state = 'deleted' AND m.doubtful <> 0)))))) ",
        );
        if scope.absent_leaves {
            query.push(
                "OR (r.absent = 1 AND r.kind = 'upsert' AND EXISTS (SELECT 1 FROM member m WHERE m.tenant = r.tenant \
                 AND m.decided_key = r.member_key AND m.flow = r.flow AND m.record = r.id \
                 AND (m.state IN ('active', 'removed') OR (m.state = 'deleted' AND m.doubtful <> 0))) AND NOT EXISTS (SELECT 1 FROM record o WHERE o.",
            );
            push_tenants(&mut query, &scope.tenants);
            query.push(" AND o.member_key = r.member_key AND o.absent = 0 AND o.kind = 'upsert'))");
        }
        query.push(") ORDER BY r.id LIMIT ").push_bind(number(most));
        let rows = once(&mut query).fetch_all(&self.pool).await.map_err(StoreError::read(RECORDS))?;
        let ids: Vec<RecordId> =
            rows.iter().map(|row| RowReader { row, what: RECORDS }.id("id")).collect::<Result<_, _>>()?;
        self.candidates_find(scope, &ids).await
    }

    /// These records of the flow.
    pub async fn candidates_find(
        &self,
        scope: &Scope,
        ids: &[RecordId],
    ) -> Result<Vec<Candidate>, StoreError> {
        let mut chosen = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(ROWS) {
            let mut query = sqlx::QueryBuilder::<Db>::new(RECORD_COLUMNS);
            query.push_bind(scope.tenant.as_str()).push(" AND r.flow = ").push_bind(scope.flow.as_str());
            query.push(" AND r.id IN (");
            let mut list = query.separated(", ");
            for id in chunk {
                list.push_bind(id.as_str().to_owned());
            }
            query.push(") ORDER BY r.id");
            let rows = once(&mut query).fetch_all(&self.pool).await.map_err(StoreError::read(RECORDS))?;
            chosen.extend(self.candidates_load(scope, &rows).await?);
        }
        Ok(chosen)
    }

    async fn candidates_load(&self, scope: &Scope, rows: &[DbRow]) -> Result<Vec<Candidate>, StoreError> {
        let (tenant, flow) = (&scope.tenant, &scope.flow);
        let states: Vec<RecordState> =
            rows.iter().map(|row| record_state(row, tenant, flow)).collect::<Result<_, _>>()?;
        let ids: Vec<RecordId> = states.iter().map(|state| state.origin.record.clone()).collect();
        let named = |state: &RecordState| match &state.resolution {
            Resolution::Decided(Decision::Upsert(member)) => Some(MemberKey::of(&member.userid)),
            Resolution::Decided(Decision::Leave(userid)) => Some(MemberKey::of(userid)),
            _ => None,
        };
        let keys: Vec<MemberKey> = states.iter().filter_map(named).collect();
        let entries = self.ledger_find_decided_as(tenant, &scope.tenants, &keys).await?;
        let own = std::slice::from_ref(tenant);
        let own_entries = match &scope.tenants[..] {
            [_] => None,
            _ => Some(self.ledger_find_decided_as(tenant, own, &keys).await?),
        };
        let mut rejections = self.quarantine_find(tenant, flow, &ids).await?;
        let mut owned: HashMap<RecordId, Vec<(UserId, MemberKey)>> = HashMap::new();
        for (record, userid, decided_as) in self.ledger_list_owned(tenant, flow, &ids).await? {
            owned.entry(record).or_default().push((userid, decided_as));
        }
        let leaders = self.leaders_find(scope, &states).await?;
        let candidate = |mut record: RecordState| {
            record.rejection = rejections.remove(&record.origin.record);
            let key = named(&record);
            let owned = owned.remove(&record.origin.record).unwrap_or_default();
            let others = owned.into_iter().filter(|(_, decided_as)| Some(decided_as) != key.as_ref());
            // A leave concerns the member of its own tenant.
            let leaves = matches!(record.resolution, Resolution::Decided(Decision::Leave(_)));
            let entries = own_entries.as_ref().filter(|_| leaves).unwrap_or(&entries);
            let entry = key.as_ref().and_then(|key| entries.get(key));
            let leaders = named_leaders(&record).filter_map(|key| leaders.get(&key).cloned()).collect();
            let also_owns = others.map(|(userid, _)| userid).collect();
            Candidate { entry: entry.cloned(), also_owns, leaders, record }
        };
        Ok(states.into_iter().map(candidate).collect())
    }

    /// Everything known of the direct leaders that these records name.
    async fn leaders_find(
        &self,
        scope: &Scope,
        states: &[RecordState],
    ) -> Result<HashMap<MemberKey, Leader>, StoreError> {
        let keys: BTreeSet<MemberKey> = states.iter().flat_map(named_leaders).collect();
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        let keys: Vec<MemberKey> = keys.into_iter().collect();
        let there = self.ledger_find_existing(&scope.tenants, &keys).await?;
        let asking = self.asking_find(scope, &keys).await?;
        let asked_for: HashSet<&MemberKey> =
            asking.iter().filter(|asking| asking.upserts).map(|asking| &asking.member).collect();
        Ok(keys
            .iter()
            .map(|key| {
                let leader = Leader {
                    key: key.clone(),
                    there: there.contains(key),
                    asked_for: asked_for.contains(key),
                };
                (key.clone(), leader)
            })
            .collect())
    }

    /// Records of the corp that name one of these members.
    async fn asking_find(&self, scope: &Scope, keys: &[MemberKey]) -> Result<Vec<Asking>, StoreError> {
        let mut asking = Vec::new();
        for chunk in keys.chunks(ROWS) {
            let mut query =
                sqlx::QueryBuilder::<Db>::new("SELECT tenant, flow, id, member_key, kind FROM record WHERE ");
            push_tenants(&mut query, &scope.tenants);
            query.push(" AND absent = 0 AND kind IN ('upsert', 'leave') AND member_key IN (");
            let mut list = query.separated(", ");
            for key in chunk {
                list.push_bind(key.as_str().to_owned());
            }
            query.push(")");
            for row in &once(&mut query).fetch_all(&self.pool).await.map_err(StoreError::read(RECORDS))? {
                let row = RowReader { row, what: RECORDS };
                asking.push(Asking {
                    origin: Origin {
                        tenant: row.id("tenant")?,
                        flow: row.id("flow")?,
                        record: row.id("id")?,
                    },
                    member: MemberKey::of(&row.get::<String>("member_key")?),
                    upserts: row.word::<RecordKind>("kind")? == RecordKind::Upsert,
                });
            }
        }
        Ok(asking)
    }

    /// A page of the tenant's leavers who have something left to do according to the ledger, in the order of their
    /// accounts.
    pub async fn leavers_list(
        &self,
        scope: &Scope,
        after: Option<&MemberKey>,
        most: usize,
    ) -> Result<Vec<Leaver>, StoreError> {
        let left_until = scope.grace_over.timestamp_millis();
        let entries = self.ledger_list_leavers(&scope.tenant, left_until, after, most).await?;
        let keys: Vec<MemberKey> = entries.iter().map(|entry| entry.decided_as.clone()).collect();
        let asking = self.asking_find(scope, &keys).await?;
        let mut leavers = Vec::with_capacity(entries.len());
        for entry in entries {
            let wanting = asking.iter().filter(|asking| asking.upserts && asking.member == entry.decided_as);
            let Origin { tenant, flow, record } = &entry.owner;
            let mut rejections = self.quarantine_find(tenant, flow, std::slice::from_ref(record)).await?;
            leavers.push(Leaver {
                wanted_by: wanting.map(|asking| asking.origin.clone()).collect(),
                rejection: rejections.remove(record),
                entry,
            });
        }
        Ok(leavers)
    }
}

fn push_tenants(query: &mut sqlx::QueryBuilder<Db>, tenants: &[TenantId]) {
    query.push("tenant IN (");
    let mut list = query.separated(", ");
    for tenant in tenants {
        list.push_bind(tenant.as_str().to_owned());
    }
    query.push(")");
}

fn named_leaders(record: &RecordState) -> impl Iterator<Item = MemberKey> {
    let leaders = match &record.resolution {
        Resolution::Decided(Decision::Upsert(member)) => member.direct_leader.as_deref().unwrap_or_default(),
        _ => &[],
    };
    leaders.iter().map(|leader| MemberKey::of(leader))
}

fn record_state(row: &DbRow, tenant: &TenantId, flow: &FlowId) -> Result<RecordState, StoreError> {
    let row = RowReader { row, what: RECORDS };
    let failure: Option<String> = row.get("failure")?;
    let mut resolution = match failure {
        Some(reason) => Resolution::Failed(reason),
        None => Resolution::Decided(row.json::<Decision>("decision")?),
    };
    let mut decision: Digest = row.id("decision_hash")?;
    let absent = row.get::<i64>("absent")? != 0;
    if absent {
        // The row is gone, and the flow takes that for a leave.
        if let Some(userid) = records::upserted(&resolution) {
            resolution = Resolution::Decided(Decision::Leave(userid.to_owned()));
        }
        decision = Digest::of_parts([b"absent".as_slice(), decision.as_str().as_bytes()]);
    }
    Ok(RecordState {
        origin: Origin { tenant: tenant.clone(), flow: flow.clone(), record: row.id("id")? },
        resolution,
        decision,
        rules: row.id("rules")?,
        fetched: row.id("fetched_run")?,
        rejection: None,
        absent,
    })
}
