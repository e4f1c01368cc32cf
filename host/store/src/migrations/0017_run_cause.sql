-- The cause of a run: what made it begin. A run from before has none.

ALTER TABLE run ADD COLUMN cause TEXT;
