-- The member who has what a record claims, where WeCom said who it is.
ALTER TABLE refusal ADD COLUMN held_by TEXT;

-- A decision holds until this moment: the flow's first run from then on decides the record again. NULL is for ever. `told` is
-- 1 where the rules said so, and a process that stays makes that run; it is 0 where the rules cannot say it (contract 0.1)
-- and the day ends.
ALTER TABLE record ADD COLUMN holds_until BIGINT;
ALTER TABLE record ADD COLUMN told BIGINT NOT NULL DEFAULT 0;
CREATE INDEX record_due ON record (tenant, flow, told, holds_until, id)
    WHERE holds_until IS NOT NULL AND absent = 0;

-- The zone that the guest was told. Dates are read in it, so in another zone every record is decided again; so is every
-- record from before this was kept.
ALTER TABLE record ADD COLUMN timezone TEXT NOT NULL DEFAULT '';
