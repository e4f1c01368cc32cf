-- What a push or a callback asked of a flow and no run has done. The service was told that it arrived, so it outlives the
-- process. `times` counts how often since then: a run that began before the last of them has not done it.

CREATE TABLE wake (
    tenant TEXT NOT NULL,
    flow TEXT NOT NULL,
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    times BIGINT NOT NULL,
    PRIMARY KEY (tenant, flow, kind)
);
