-- How far the first use of rules has come, so that rules under which a process died are not tried again by themselves.
-- `process` names the process that is trying them.

CREATE TABLE first_use (
    rules TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL,
    flow TEXT NOT NULL,
    state TEXT NOT NULL,
    process TEXT NOT NULL,
    at BIGINT NOT NULL
);

-- What was live before has been used.
INSERT INTO first_use (rules, tenant, flow, state, process, at)
SELECT rules, MIN(tenant), MIN(flow), 'used', '', MIN(at) FROM activation GROUP BY rules;
