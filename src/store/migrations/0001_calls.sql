-- The call log. Plain SQL that SQLite and PostgreSQL both read: BIGINT holds Unix milliseconds and
-- counts, DOUBLE PRECISION durations in milliseconds, TEXT everything else. No empty value is NULL
-- where it is part of a key.

-- One row per call, admitted or refused. `status` is running, completed, failed, cancelled,
-- interrupted or refused. A row of refusals aggregated under a flood stands for `calls` of them.
CREATE TABLE calls (
  id TEXT PRIMARY KEY,
  started_at BIGINT NOT NULL,
  ended_at BIGINT,
  endpoint TEXT NOT NULL,
  model TEXT NOT NULL,
  provider TEXT,
  key_id TEXT NOT NULL,
  stream INTEGER NOT NULL,
  request_id TEXT,
  referer TEXT,
  title TEXT,
  status TEXT NOT NULL,
  http_status INTEGER,
  error TEXT,
  finish_reason TEXT,
  prompt_tokens BIGINT NOT NULL,
  completion_tokens BIGINT NOT NULL,
  cached_tokens BIGINT NOT NULL,
  usage_source TEXT NOT NULL,
  queue_ms DOUBLE PRECISION,
  first_token_ms DOUBLE PRECISION,
  total_ms DOUBLE PRECISION,
  -- A JSON array of names.
  dropped_params TEXT NOT NULL,
  calls BIGINT NOT NULL
);

-- The log is read newest first; a restart looks for the rows that are still running.
CREATE INDEX calls_by_time ON calls (started_at, id);
CREATE INDEX calls_running ON calls (id) WHERE status = 'running';

-- Rollup per minute of arrival (Unix milliseconds / 60000). Changed only when a row first ends, in
-- the same transaction. A refused call's model is what a stranger typed, so it is '' here.
CREATE TABLE counters (
  minute BIGINT NOT NULL,
  key_id TEXT NOT NULL,
  model TEXT NOT NULL,
  provider TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  status TEXT NOT NULL,
  error TEXT NOT NULL,
  calls BIGINT NOT NULL,
  prompt_tokens BIGINT NOT NULL,
  completion_tokens BIGINT NOT NULL,
  cached_tokens BIGINT NOT NULL,
  PRIMARY KEY (minute, key_id, model, provider, endpoint, status, error)
);

-- How far the journal has been read. One row, changed in the transaction of what was read.
CREATE TABLE journal_position (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  segment BIGINT NOT NULL,
  byte_offset BIGINT NOT NULL,
  -- Bytes that were not a record: a torn tail, or a damaged disk.
  skipped_bytes BIGINT NOT NULL
);

INSERT INTO journal_position (id, segment, byte_offset, skipped_bytes) VALUES (1, 0, 0, 0);
