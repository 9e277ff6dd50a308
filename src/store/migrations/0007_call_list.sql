-- The call list is read newest first, by one of these and a time. A filter on two of them goes through one index and
-- looks at its rows. Most calls are completed, and a list of those is close to the list of all: only the others are
-- indexed by status, for queries that say `status <> 'completed'` beside the status they want.
CREATE INDEX calls_by_key ON calls (key_id, started_at);
CREATE INDEX calls_by_model ON calls (model, started_at);
CREATE INDEX calls_by_provider ON calls (provider, started_at);
CREATE INDEX calls_by_status ON calls (status, started_at) WHERE status <> 'completed';
DROP INDEX calls_refused;
-- Deleting a few thousand of millions is reason enough to clean up, and so is a million new ones.
/* postgres: ALTER TABLE calls SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02); */
