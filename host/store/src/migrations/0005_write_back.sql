-- What a flow has last written of each record back onto its form. `basis` is what the words came from: while it stays
-- the same there is nothing to write.

CREATE TABLE write_back (
    tenant TEXT NOT NULL,
    flow TEXT NOT NULL,
    record TEXT NOT NULL,
    basis TEXT NOT NULL,
    digest TEXT NOT NULL,
    written_at BIGINT,
    failures BIGINT NOT NULL,
    PRIMARY KEY (tenant, flow, record)
);
