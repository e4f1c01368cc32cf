-- 1 for a run that changed a member: what a person looks at in charts. Most runs find nothing to do.
ALTER TABLE run ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
UPDATE run SET changed = 1 WHERE kind IN ('sync', 'apply')
    AND counts NOT LIKE '{"created":0,"updated":0,"disabled":0,"enabled":0,"deleted":0,%';
