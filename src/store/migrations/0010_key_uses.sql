-- When each key was last used, in Unix milliseconds: it stays when the calls themselves are gone. Written
-- with the rows that it follows from.
CREATE TABLE key_uses (
  key_id TEXT PRIMARY KEY,
  last_used_at BIGINT NOT NULL
);
