-- What a call cost, in billionths of a US dollar; NULL where no price is known.
ALTER TABLE calls ADD COLUMN cost_nano_usd BIGINT;
-- A JSON array, one object for each try at a target, in order; the one that answered is the last.
ALTER TABLE calls ADD COLUMN attempts TEXT NOT NULL DEFAULT '[]';
-- How many of them went on with an answer that another one had begun.
ALTER TABLE calls ADD COLUMN resumed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE counters ADD COLUMN cost_nano_usd BIGINT NOT NULL DEFAULT 0;
