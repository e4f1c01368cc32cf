-- What an entry of the quarantine waits for, how often WeCom has rejected it, and when it is tried again.
ALTER TABLE refusal ADD COLUMN waits_for TEXT NOT NULL DEFAULT 'row';
ALTER TABLE refusal ADD COLUMN tries BIGINT NOT NULL DEFAULT 0;
ALTER TABLE refusal ADD COLUMN retry_at BIGINT;
CREATE INDEX refusal_waits ON refusal (tenant, waits_for);

-- What a person decided about a member who was removed by hand.
ALTER TABLE member ADD COLUMN removal_answer TEXT;
-- Leavers are found by when they left: the ledger alone says what is left to do with them.
CREATE INDEX member_leavers ON member (tenant, state, left_at);
