-- API keys, without the keys: `hash` is HMAC-SHA-256 of the key's text with the server's secret, in
-- hexadecimal. Rows are never deleted: what a key did stays in the log, and a revoked one stays known.
CREATE TABLE keys (
  id TEXT PRIMARY KEY,
  -- Characters of the key's text by which it is found; not a part of what has to be guessed.
  prefix TEXT NOT NULL UNIQUE,
  hash TEXT NOT NULL,
  -- What opened it before it was rotated, and until when it still does.
  previous_prefix TEXT,
  previous_hash TEXT,
  previous_until BIGINT,
  -- Which secret the hashes were made with: the first characters of an HMAC of a fixed text.
  secret_mark TEXT NOT NULL,
  name TEXT NOT NULL,
  owner TEXT NOT NULL,
  -- key or admin.
  role TEXT NOT NULL,
  plan TEXT,
  -- JSON arrays; NULL is all.
  models TEXT,
  endpoints TEXT,
  -- day or month, and billionths of a US dollar; both or neither.
  budget_period TEXT,
  budget_nano_usd BIGINT,
  -- A JSON array.
  tags TEXT NOT NULL,
  -- off, sampled or on; NULL is as configured.
  payloads TEXT,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  disabled_at BIGINT,
  revoked_at BIGINT,
  -- Grows by one with every change of any key: who knows all up to one asks for those above it. Two
  -- changes at the same moment can't both have the same, so one of them has to be made again.
  version BIGINT NOT NULL UNIQUE
);

-- The mark of the secret that the gateways here have, told by each when it starts, so that a key made
-- from elsewhere with another secret is refused instead of opening nothing. At most one row.
CREATE TABLE server_secret (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  mark TEXT NOT NULL
);
