-- Refused calls are kept up to a number: the oldest are looked for by time.
CREATE INDEX calls_refused ON calls (started_at, id) WHERE status = 'refused';
