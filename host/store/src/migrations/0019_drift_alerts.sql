-- An alert about drift belongs to a tenant, no longer to each of its flows. The next look raises it again if differences
-- are left.

DELETE FROM alert WHERE key LIKE 'drift.found/%/%';
