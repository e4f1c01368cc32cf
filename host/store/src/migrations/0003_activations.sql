-- Which rules are live in each flow, and every one that ever was, with its bytes: any of them can be restored, and any
-- past decision made again.

CREATE TABLE artifact (
    digest TEXT NOT NULL PRIMARY KEY,
    content TEXT NOT NULL
);

CREATE TABLE activation (
    tenant TEXT NOT NULL,
    flow TEXT NOT NULL,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    who TEXT NOT NULL,
    why TEXT,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    component TEXT NOT NULL,
    config TEXT NOT NULL,
    rules TEXT NOT NULL,
    offered TEXT NOT NULL,
    compared BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    approved BIGINT NOT NULL,
    PRIMARY KEY (tenant, flow, number)
);

-- What the guest was told of the world when it decided; empty for a decision from before it was kept.
ALTER TABLE record ADD COLUMN context TEXT NOT NULL DEFAULT '';
