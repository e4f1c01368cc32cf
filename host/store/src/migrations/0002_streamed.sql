-- What a plan needs of all records and members together is in columns with indexes of their own, so that it is counted
-- and joined by the database, and only what may have to be done is read.

ALTER TABLE record ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN member_key TEXT;
ALTER TABLE record ADD COLUMN mobile_key TEXT;
ALTER TABLE record ADD COLUMN stamp BIGINT NOT NULL DEFAULT 0;
CREATE INDEX record_by_member ON record (tenant, member_key, absent, kind);
CREATE INDEX record_by_mobile ON record (tenant, mobile_key, absent, kind);
CREATE INDEX record_open ON record (tenant, flow, id, absent, kind, member_key, decision_hash);
CREATE INDEX record_in_sum ON record (tenant, flow, absent, kind, stamp);
-- Every stored record is decided again by its flow's next run, which fills the columns.
UPDATE record SET rules = '0000000000000000000000000000000000000000000000000000000000000000';

ALTER TABLE member ADD COLUMN decided_key TEXT NOT NULL DEFAULT '';
ALTER TABLE member ADD COLUMN mobile_key TEXT;
ALTER TABLE member ADD COLUMN kept TEXT NOT NULL DEFAULT '{}';
ALTER TABLE member ADD COLUMN stamp BIGINT NOT NULL DEFAULT 0;
UPDATE member SET decided_key = member_key;
CREATE INDEX member_by_decision
    ON member (tenant, decided_key, state, doubtful, flow, record, decision_hash, left_at);
CREATE INDEX member_in_sum ON member (tenant, state, stamp);

-- A record is confirmed once a collect that found it ended well. `absent` is 0 for a record its form gives, 1 for one
-- that was deleted from the form, 2 for one that is still in the form and outside the filter.
ALTER TABLE record ADD COLUMN confirmed BIGINT NOT NULL DEFAULT 0;
UPDATE record SET confirmed = 1;
ALTER TABLE watermark ADD COLUMN form TEXT NOT NULL DEFAULT '';
ALTER TABLE watermark ADD COLUMN asked TEXT NOT NULL DEFAULT '';

ALTER TABLE operation ADD COLUMN wave BIGINT NOT NULL DEFAULT 0;
ALTER TABLE operation ADD COLUMN job TEXT;

-- A plan that waited was made by other rules of hashing; what was done stays in `operation` and `run`.
DROP TABLE plan;
CREATE TABLE plan (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    flow TEXT NOT NULL,
    run TEXT NOT NULL,
    hash TEXT NOT NULL,
    purpose TEXT NOT NULL,
    state TEXT NOT NULL,
    plan TEXT NOT NULL,
    reason TEXT,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX plan_by_run ON plan (tenant, run);
