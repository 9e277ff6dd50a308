-- A call is looked for by its caller's own id.
CREATE INDEX calls_by_request ON calls (request_id) WHERE request_id IS NOT NULL;
