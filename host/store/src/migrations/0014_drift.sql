-- The latest drift check of each tenant, and the differences it found that no plan has settled since.

CREATE TABLE drift_check (
    tenant TEXT NOT NULL PRIMARY KEY,
    flow TEXT NOT NULL,
    run TEXT NOT NULL,
    at BIGINT NOT NULL
);

CREATE TABLE drift_finding (
    tenant TEXT NOT NULL,
    place BIGINT NOT NULL,
    member_key TEXT NOT NULL,
    finding TEXT NOT NULL,
    PRIMARY KEY (tenant, place)
);
CREATE INDEX drift_finding_by_member ON drift_finding (tenant, member_key);
