-- What a process that stays has to remember over its own end: how each flow stands with the schedule, who changed what,
-- which pushes were taken, what people were told.

CREATE TABLE standing (
    tenant TEXT NOT NULL,
    flow TEXT NOT NULL,
    reached BIGINT,
    failures BIGINT NOT NULL,
    failed_at BIGINT,
    paused TEXT,
    blocked TEXT,
    PRIMARY KEY (tenant, flow)
);

CREATE TABLE audit (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    who TEXT NOT NULL,
    role TEXT NOT NULL,
    origin TEXT NOT NULL,
    action TEXT NOT NULL,
    tenant TEXT,
    flow TEXT,
    subject TEXT,
    detail TEXT,
    outcome TEXT NOT NULL
);
CREATE INDEX audit_by_time ON audit (at, id);

CREATE TABLE delivery (
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (source, id)
);
CREATE INDEX delivery_by_time ON delivery (at);

CREATE TABLE alarm (
    key TEXT NOT NULL PRIMARY KEY,
    alarm TEXT NOT NULL
);
