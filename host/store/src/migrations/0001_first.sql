-- Times are milliseconds since 1970 in UTC. JSON is TEXT. The same text serves SQLite and PostgreSQL.

CREATE TABLE record (
    tenant TEXT NOT NULL,
    flow TEXT NOT NULL,
    id TEXT NOT NULL,
    content TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    fetched_at BIGINT NOT NULL,
    fetched_run TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    rules TEXT NOT NULL,
    decision TEXT,
    failure TEXT,
    decision_hash TEXT NOT NULL,
    notes TEXT NOT NULL,
    absent BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, flow, id)
);

CREATE TABLE member (
    tenant TEXT NOT NULL,
    member_key TEXT NOT NULL,
    userid TEXT NOT NULL,
    flow TEXT NOT NULL,
    record TEXT NOT NULL,
    written TEXT NOT NULL,
    state TEXT NOT NULL,
    left_at BIGINT,
    doubtful BIGINT NOT NULL,
    decision_hash TEXT NOT NULL,
    rules TEXT NOT NULL,
    written_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, member_key)
);
CREATE INDEX member_by_record ON member (tenant, flow, record);

CREATE TABLE refusal (
    tenant TEXT NOT NULL,
    flow TEXT NOT NULL,
    record TEXT NOT NULL,
    refused_by TEXT NOT NULL,
    violations TEXT NOT NULL,
    errcode BIGINT,
    decision_hash TEXT NOT NULL,
    rules TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    PRIMARY KEY (tenant, flow, record)
);

CREATE TABLE plan (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    flow TEXT NOT NULL,
    run TEXT NOT NULL,
    hash TEXT NOT NULL,
    state TEXT NOT NULL,
    guard TEXT NOT NULL,
    counts TEXT NOT NULL,
    owned BIGINT NOT NULL,
    retry BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE operation (
    tenant TEXT NOT NULL,
    plan TEXT NOT NULL,
    place BIGINT NOT NULL,
    flow TEXT NOT NULL,
    record TEXT NOT NULL,
    member_key TEXT NOT NULL,
    kind TEXT NOT NULL,
    operation TEXT NOT NULL,
    state TEXT NOT NULL,
    planned_at BIGINT NOT NULL,
    sent_at BIGINT,
    settled_at BIGINT,
    errcode BIGINT,
    errmsg TEXT,
    PRIMARY KEY (tenant, plan, place)
);
CREATE INDEX operation_by_record ON operation (tenant, flow, record);
CREATE INDEX operation_by_state ON operation (tenant, state);

CREATE TABLE attempt (
    tenant TEXT NOT NULL,
    plan TEXT NOT NULL,
    place BIGINT NOT NULL,
    number BIGINT NOT NULL,
    api TEXT NOT NULL,
    called_at BIGINT NOT NULL,
    took_ms BIGINT NOT NULL,
    errcode BIGINT,
    errmsg TEXT NOT NULL,
    PRIMARY KEY (tenant, plan, place, called_at, number)
);

CREATE TABLE run (
    tenant TEXT NOT NULL,
    flow TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    plan TEXT,
    rules TEXT,
    counts TEXT NOT NULL,
    calls TEXT NOT NULL,
    problem TEXT,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX run_by_time ON run (tenant, flow, started_at);

CREATE TABLE label (
    tenant TEXT NOT NULL,
    flow TEXT NOT NULL,
    labels TEXT NOT NULL,
    PRIMARY KEY (tenant, flow)
);

CREATE TABLE watermark (
    tenant TEXT NOT NULL,
    flow TEXT NOT NULL,
    reached BIGINT NOT NULL,
    query TEXT NOT NULL,
    PRIMARY KEY (tenant, flow)
);
