-- What a person looks at: the latest runs of all flows, the runs of a span of time, and plans that wait.

CREATE INDEX run_started ON run (started_at, id);
CREATE INDEX run_ended ON run (ended_at);
CREATE INDEX plan_by_state ON plan (tenant, flow, state);
