-- The failure that ended a run early, as JSON: code, text, causes and hints.
ALTER TABLE run ADD COLUMN failure TEXT;
