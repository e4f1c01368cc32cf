-- Who left, when: what the guard adds up over a day and a week. A row for each disable and each delete; whoever is back
-- in the directory has none. `approved` is 1 for a plan that a person released although the guard held it.

CREATE TABLE departure (
    tenant TEXT NOT NULL,
    member_key TEXT NOT NULL,
    at BIGINT NOT NULL,
    approved BIGINT NOT NULL,
    PRIMARY KEY (tenant, member_key, at)
);
CREATE INDEX departure_by_time ON departure (tenant, approved, at, member_key);

-- The last week of what was done before.
INSERT INTO departure (tenant, member_key, at, approved)
SELECT DISTINCT o.tenant, o.member_key, o.settled_at,
    CASE WHEN p.plan IS NULL OR p.plan LIKE '%"guard":{"reasons":[]}%' THEN 0 ELSE 1 END
FROM operation o
LEFT JOIN plan p ON p.tenant = o.tenant AND p.id = o.plan
LEFT JOIN (
    SELECT tenant, member_key, MAX(settled_at) AS at FROM operation
    WHERE state = 'done' AND kind IN ('enable', 'create') GROUP BY tenant, member_key
) back ON back.tenant = o.tenant AND back.member_key = o.member_key
WHERE o.state = 'done' AND o.kind IN ('disable', 'delete')
    AND o.settled_at > (SELECT MAX(settled_at) FROM operation) - 604800000
    AND (back.at IS NULL OR back.at < o.settled_at);
