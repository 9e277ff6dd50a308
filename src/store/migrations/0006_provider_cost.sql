-- What the provider itself says it charged for the call, in billionths of a US dollar; NULL where it says nothing.
ALTER TABLE calls ADD COLUMN provider_cost_nano_usd BIGINT;
