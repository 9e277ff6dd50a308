-- Several gateways may write into one database: each row says whose it is, so that a gateway that starts
-- marks only its own as interrupted. '' is a row from before there were several.
ALTER TABLE calls ADD COLUMN gateway TEXT NOT NULL DEFAULT '';
DROP INDEX calls_running;
CREATE INDEX calls_running ON calls (gateway) WHERE status = 'running';

-- How far each gateway's journal has been read, changed in the transaction of what was read. `owner` is who
-- may move it: a connection that was given up, or another process with the same id, may not.
CREATE TABLE journal_positions (
  gateway TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  segment BIGINT NOT NULL,
  byte_offset BIGINT NOT NULL,
  -- Bytes that were not a record: a torn tail, or a damaged disk.
  skipped_bytes BIGINT NOT NULL
);

-- The gateway that opens the database next takes over the one that wrote it so far.
INSERT INTO journal_positions (gateway, owner, segment, byte_offset, skipped_bytes)
  SELECT '', '', segment, byte_offset, skipped_bytes FROM journal_position
  WHERE segment > 0 OR byte_offset > 0;
DROP TABLE journal_position;
