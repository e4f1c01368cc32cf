-- Tables and columns get the words of the glossary in docs/architecture.md.

ALTER TABLE refusal RENAME TO quarantine;
ALTER TABLE quarantine RENAME COLUMN refused_by TO rejected_by;
DROP INDEX refusal_waits;
CREATE INDEX quarantine_waits ON quarantine (tenant, waits_for);

ALTER TABLE standing RENAME TO schedule_state;

ALTER TABLE record RENAME COLUMN told TO stated;
ALTER TABLE watermark RENAME COLUMN asked TO unfinished_query;
ALTER TABLE wake RENAME COLUMN times TO count;

-- Inside a JSON text a quotation mark is escaped, so each pattern matches a key and never a part of a value.
ALTER TABLE alarm RENAME TO alert;
ALTER TABLE alert RENAME COLUMN alarm TO alert;
UPDATE alert SET alert = REPLACE(REPLACE(REPLACE(REPLACE(alert,
    '"told_at":', '"notified_at":'),
    '"over_at":', '"resolved_at":'),
    '"over_told_at":', '"resolution_notified_at":'),
    '"page":"/guests/', '"page":"/rules/');
UPDATE alert SET key = REPLACE(key, 'leavers.refused', 'leavers.rejected'),
    alert = REPLACE(alert, '":"leavers.refused', '":"leavers.rejected') WHERE key LIKE 'leavers.refused%';
UPDATE alert SET key = REPLACE(key, 'files.refused', 'config.invalid'),
    alert = REPLACE(alert, '":"files.refused', '":"config.invalid') WHERE key LIKE 'files.refused%';
UPDATE alert SET key = REPLACE(key, 'alarms.refused', 'alerts.undelivered'),
    alert = REPLACE(alert, '":"alarms.refused', '":"alerts.undelivered') WHERE key LIKE 'alarms.refused%';

UPDATE audit SET action = 'rules.rollback' WHERE action = 'rules.roll_back';
