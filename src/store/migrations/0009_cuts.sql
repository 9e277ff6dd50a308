-- More cuts, so that what people look at most is a few rows a span, whatever the log is made of. Every call is in each
-- of them once; docs/decisions/2026-11-20-rollups.md says what each is for, src/store/rollups.ts which dimensions it knows.
-- In all the others they are ''. `failed` is how many of the calls failed, were interrupted or refused: most cuts don't
-- know the status.

ALTER TABLE minutes ADD COLUMN failed BIGINT NOT NULL DEFAULT 0;
UPDATE minutes SET failed = calls WHERE status IN ('failed', 'interrupted', 'refused');
DELETE FROM minutes WHERE cut = 'keys';
INSERT INTO minutes (cut, at, key_id, model, provider, endpoint, status, error,
    calls, prompt_tokens, completion_tokens, cached_tokens, cost_nano_usd, attempts, first_token_ms, total_ms, queue_ms, failed,
    f00, f01, f02, f03, f04, f05, f06, f07, f08, f09, f10, f11, f12, f13, f14, f15,
    f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31,
    t00, t01, t02, t03, t04, t05, t06, t07, t08, t09, t10, t11, t12, t13, t14, t15,
    t16, t17, t18, t19, t20, t21, t22, t23, t24, t25, t26, t27, t28, t29, t30, t31,
    q00, q01, q02, q03, q04, q05, q06, q07, q08, q09, q10, q11, q12, q13, q14, q15,
    q16, q17, q18, q19, q20, q21, q22, q23, q24, q25, q26, q27, q28, q29, q30, q31)
  SELECT cuts.cut, at,
    CASE WHEN cuts.cut IN ('key') THEN key_id ELSE '' END,
    CASE WHEN cuts.cut IN ('model') THEN model ELSE '' END,
    CASE WHEN cuts.cut IN ('provider') THEN provider ELSE '' END,
    CASE WHEN cuts.cut IN ('endpoint') THEN endpoint ELSE '' END,
    CASE WHEN cuts.cut IN ('errors') THEN status ELSE '' END,
    CASE WHEN cuts.cut IN ('errors') THEN error ELSE '' END,
    SUM(calls), SUM(prompt_tokens), SUM(completion_tokens), SUM(cached_tokens), SUM(cost_nano_usd),
    SUM(attempts), SUM(first_token_ms), SUM(total_ms), SUM(queue_ms), SUM(failed),
    SUM(f00), SUM(f01), SUM(f02), SUM(f03), SUM(f04), SUM(f05), SUM(f06), SUM(f07), SUM(f08), SUM(f09), SUM(f10), SUM(f11), SUM(f12), SUM(f13), SUM(f14), SUM(f15),
    SUM(f16), SUM(f17), SUM(f18), SUM(f19), SUM(f20), SUM(f21), SUM(f22), SUM(f23), SUM(f24), SUM(f25), SUM(f26), SUM(f27), SUM(f28), SUM(f29), SUM(f30), SUM(f31),
    SUM(t00), SUM(t01), SUM(t02), SUM(t03), SUM(t04), SUM(t05), SUM(t06), SUM(t07), SUM(t08), SUM(t09), SUM(t10), SUM(t11), SUM(t12), SUM(t13), SUM(t14), SUM(t15),
    SUM(t16), SUM(t17), SUM(t18), SUM(t19), SUM(t20), SUM(t21), SUM(t22), SUM(t23), SUM(t24), SUM(t25), SUM(t26), SUM(t27), SUM(t28), SUM(t29), SUM(t30), SUM(t31),
    SUM(q00), SUM(q01), SUM(q02), SUM(q03), SUM(q04), SUM(q05), SUM(q06), SUM(q07), SUM(q08), SUM(q09), SUM(q10), SUM(q11), SUM(q12), SUM(q13), SUM(q14), SUM(q15),
    SUM(q16), SUM(q17), SUM(q18), SUM(q19), SUM(q20), SUM(q21), SUM(q22), SUM(q23), SUM(q24), SUM(q25), SUM(q26), SUM(q27), SUM(q28), SUM(q29), SUM(q30), SUM(q31)
  FROM (SELECT 'key' AS cut, 'each' AS source UNION ALL
    SELECT 'all', 'models' UNION ALL
    SELECT 'endpoint', 'models' UNION ALL
    SELECT 'provider', 'models' UNION ALL
    SELECT 'errors', 'models' UNION ALL
    SELECT 'model', 'models') AS cuts
  JOIN minutes ON minutes.cut = cuts.source
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;

ALTER TABLE hours ADD COLUMN failed BIGINT NOT NULL DEFAULT 0;
UPDATE hours SET failed = calls WHERE status IN ('failed', 'interrupted', 'refused');
DELETE FROM hours WHERE cut = 'keys';
INSERT INTO hours (cut, at, key_id, model, provider, endpoint, status, error,
    calls, prompt_tokens, completion_tokens, cached_tokens, cost_nano_usd, attempts, first_token_ms, total_ms, queue_ms, failed,
    f00, f01, f02, f03, f04, f05, f06, f07, f08, f09, f10, f11, f12, f13, f14, f15,
    f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31,
    t00, t01, t02, t03, t04, t05, t06, t07, t08, t09, t10, t11, t12, t13, t14, t15,
    t16, t17, t18, t19, t20, t21, t22, t23, t24, t25, t26, t27, t28, t29, t30, t31,
    q00, q01, q02, q03, q04, q05, q06, q07, q08, q09, q10, q11, q12, q13, q14, q15,
    q16, q17, q18, q19, q20, q21, q22, q23, q24, q25, q26, q27, q28, q29, q30, q31)
  SELECT cuts.cut, at,
    CASE WHEN cuts.cut IN ('keys', 'callers', 'uses') THEN key_id ELSE '' END,
    CASE WHEN cuts.cut IN ('model', 'uses') THEN model ELSE '' END,
    CASE WHEN cuts.cut IN ('kinds', 'callers') THEN provider ELSE '' END,
    CASE WHEN cuts.cut IN ('kinds', 'callers') THEN endpoint ELSE '' END,
    CASE WHEN cuts.cut IN ('kinds', 'keys') THEN status ELSE '' END,
    CASE WHEN cuts.cut IN ('kinds', 'keys') THEN error ELSE '' END,
    SUM(calls), SUM(prompt_tokens), SUM(completion_tokens), SUM(cached_tokens), SUM(cost_nano_usd),
    SUM(attempts), SUM(first_token_ms), SUM(total_ms), SUM(queue_ms), SUM(failed),
    SUM(f00), SUM(f01), SUM(f02), SUM(f03), SUM(f04), SUM(f05), SUM(f06), SUM(f07), SUM(f08), SUM(f09), SUM(f10), SUM(f11), SUM(f12), SUM(f13), SUM(f14), SUM(f15),
    SUM(f16), SUM(f17), SUM(f18), SUM(f19), SUM(f20), SUM(f21), SUM(f22), SUM(f23), SUM(f24), SUM(f25), SUM(f26), SUM(f27), SUM(f28), SUM(f29), SUM(f30), SUM(f31),
    SUM(t00), SUM(t01), SUM(t02), SUM(t03), SUM(t04), SUM(t05), SUM(t06), SUM(t07), SUM(t08), SUM(t09), SUM(t10), SUM(t11), SUM(t12), SUM(t13), SUM(t14), SUM(t15),
    SUM(t16), SUM(t17), SUM(t18), SUM(t19), SUM(t20), SUM(t21), SUM(t22), SUM(t23), SUM(t24), SUM(t25), SUM(t26), SUM(t27), SUM(t28), SUM(t29), SUM(t30), SUM(t31),
    SUM(q00), SUM(q01), SUM(q02), SUM(q03), SUM(q04), SUM(q05), SUM(q06), SUM(q07), SUM(q08), SUM(q09), SUM(q10), SUM(q11), SUM(q12), SUM(q13), SUM(q14), SUM(q15),
    SUM(q16), SUM(q17), SUM(q18), SUM(q19), SUM(q20), SUM(q21), SUM(q22), SUM(q23), SUM(q24), SUM(q25), SUM(q26), SUM(q27), SUM(q28), SUM(q29), SUM(q30), SUM(q31)
  FROM (SELECT 'uses' AS cut, 'each' AS source UNION ALL
    SELECT 'callers', 'each' UNION ALL
    SELECT 'keys', 'each' UNION ALL
    SELECT 'model', 'models' UNION ALL
    SELECT 'kinds', 'models') AS cuts
  JOIN hours ON hours.cut = cuts.source
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
INSERT INTO hours (cut, at, key_id, model, provider, endpoint, status, error,
    calls, prompt_tokens, completion_tokens, cached_tokens, cost_nano_usd, attempts, first_token_ms, total_ms, queue_ms, failed,
    f00, f01, f02, f03, f04, f05, f06, f07, f08, f09, f10, f11, f12, f13, f14, f15,
    f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31,
    t00, t01, t02, t03, t04, t05, t06, t07, t08, t09, t10, t11, t12, t13, t14, t15,
    t16, t17, t18, t19, t20, t21, t22, t23, t24, t25, t26, t27, t28, t29, t30, t31,
    q00, q01, q02, q03, q04, q05, q06, q07, q08, q09, q10, q11, q12, q13, q14, q15,
    q16, q17, q18, q19, q20, q21, q22, q23, q24, q25, q26, q27, q28, q29, q30, q31)
  SELECT cuts.cut, at,
    CASE WHEN cuts.cut IN ('key') THEN key_id ELSE '' END,
    '',
    CASE WHEN cuts.cut IN ('provider') THEN provider ELSE '' END,
    CASE WHEN cuts.cut IN ('endpoint') THEN endpoint ELSE '' END,
    CASE WHEN cuts.cut IN ('errors') THEN status ELSE '' END,
    CASE WHEN cuts.cut IN ('errors') THEN error ELSE '' END,
    SUM(calls), SUM(prompt_tokens), SUM(completion_tokens), SUM(cached_tokens), SUM(cost_nano_usd),
    SUM(attempts), SUM(first_token_ms), SUM(total_ms), SUM(queue_ms), SUM(failed),
    SUM(f00), SUM(f01), SUM(f02), SUM(f03), SUM(f04), SUM(f05), SUM(f06), SUM(f07), SUM(f08), SUM(f09), SUM(f10), SUM(f11), SUM(f12), SUM(f13), SUM(f14), SUM(f15),
    SUM(f16), SUM(f17), SUM(f18), SUM(f19), SUM(f20), SUM(f21), SUM(f22), SUM(f23), SUM(f24), SUM(f25), SUM(f26), SUM(f27), SUM(f28), SUM(f29), SUM(f30), SUM(f31),
    SUM(t00), SUM(t01), SUM(t02), SUM(t03), SUM(t04), SUM(t05), SUM(t06), SUM(t07), SUM(t08), SUM(t09), SUM(t10), SUM(t11), SUM(t12), SUM(t13), SUM(t14), SUM(t15),
    SUM(t16), SUM(t17), SUM(t18), SUM(t19), SUM(t20), SUM(t21), SUM(t22), SUM(t23), SUM(t24), SUM(t25), SUM(t26), SUM(t27), SUM(t28), SUM(t29), SUM(t30), SUM(t31),
    SUM(q00), SUM(q01), SUM(q02), SUM(q03), SUM(q04), SUM(q05), SUM(q06), SUM(q07), SUM(q08), SUM(q09), SUM(q10), SUM(q11), SUM(q12), SUM(q13), SUM(q14), SUM(q15),
    SUM(q16), SUM(q17), SUM(q18), SUM(q19), SUM(q20), SUM(q21), SUM(q22), SUM(q23), SUM(q24), SUM(q25), SUM(q26), SUM(q27), SUM(q28), SUM(q29), SUM(q30), SUM(q31)
  FROM (SELECT 'key' AS cut, 'uses' AS source UNION ALL
    SELECT 'all', 'kinds' UNION ALL
    SELECT 'endpoint', 'kinds' UNION ALL
    SELECT 'provider', 'kinds' UNION ALL
    SELECT 'errors', 'kinds') AS cuts
  JOIN hours ON hours.cut = cuts.source
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;

ALTER TABLE days ADD COLUMN failed BIGINT NOT NULL DEFAULT 0;
UPDATE days SET failed = calls WHERE status IN ('failed', 'interrupted', 'refused');
DELETE FROM days WHERE cut = 'keys';
INSERT INTO days (cut, at, key_id, model, provider, endpoint, status, error,
    calls, prompt_tokens, completion_tokens, cached_tokens, cost_nano_usd, attempts, first_token_ms, total_ms, queue_ms, failed,
    f00, f01, f02, f03, f04, f05, f06, f07, f08, f09, f10, f11, f12, f13, f14, f15,
    f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31,
    t00, t01, t02, t03, t04, t05, t06, t07, t08, t09, t10, t11, t12, t13, t14, t15,
    t16, t17, t18, t19, t20, t21, t22, t23, t24, t25, t26, t27, t28, t29, t30, t31,
    q00, q01, q02, q03, q04, q05, q06, q07, q08, q09, q10, q11, q12, q13, q14, q15,
    q16, q17, q18, q19, q20, q21, q22, q23, q24, q25, q26, q27, q28, q29, q30, q31)
  SELECT cuts.cut, at,
    CASE WHEN cuts.cut IN ('keys', 'callers', 'uses') THEN key_id ELSE '' END,
    CASE WHEN cuts.cut IN ('model', 'uses') THEN model ELSE '' END,
    CASE WHEN cuts.cut IN ('kinds', 'callers') THEN provider ELSE '' END,
    CASE WHEN cuts.cut IN ('kinds', 'callers') THEN endpoint ELSE '' END,
    CASE WHEN cuts.cut IN ('kinds', 'keys') THEN status ELSE '' END,
    CASE WHEN cuts.cut IN ('kinds', 'keys') THEN error ELSE '' END,
    SUM(calls), SUM(prompt_tokens), SUM(completion_tokens), SUM(cached_tokens), SUM(cost_nano_usd),
    SUM(attempts), SUM(first_token_ms), SUM(total_ms), SUM(queue_ms), SUM(failed),
    SUM(f00), SUM(f01), SUM(f02), SUM(f03), SUM(f04), SUM(f05), SUM(f06), SUM(f07), SUM(f08), SUM(f09), SUM(f10), SUM(f11), SUM(f12), SUM(f13), SUM(f14), SUM(f15),
    SUM(f16), SUM(f17), SUM(f18), SUM(f19), SUM(f20), SUM(f21), SUM(f22), SUM(f23), SUM(f24), SUM(f25), SUM(f26), SUM(f27), SUM(f28), SUM(f29), SUM(f30), SUM(f31),
    SUM(t00), SUM(t01), SUM(t02), SUM(t03), SUM(t04), SUM(t05), SUM(t06), SUM(t07), SUM(t08), SUM(t09), SUM(t10), SUM(t11), SUM(t12), SUM(t13), SUM(t14), SUM(t15),
    SUM(t16), SUM(t17), SUM(t18), SUM(t19), SUM(t20), SUM(t21), SUM(t22), SUM(t23), SUM(t24), SUM(t25), SUM(t26), SUM(t27), SUM(t28), SUM(t29), SUM(t30), SUM(t31),
    SUM(q00), SUM(q01), SUM(q02), SUM(q03), SUM(q04), SUM(q05), SUM(q06), SUM(q07), SUM(q08), SUM(q09), SUM(q10), SUM(q11), SUM(q12), SUM(q13), SUM(q14), SUM(q15),
    SUM(q16), SUM(q17), SUM(q18), SUM(q19), SUM(q20), SUM(q21), SUM(q22), SUM(q23), SUM(q24), SUM(q25), SUM(q26), SUM(q27), SUM(q28), SUM(q29), SUM(q30), SUM(q31)
  FROM (SELECT 'uses' AS cut, 'each' AS source UNION ALL
    SELECT 'callers', 'each' UNION ALL
    SELECT 'keys', 'each' UNION ALL
    SELECT 'model', 'models' UNION ALL
    SELECT 'kinds', 'models') AS cuts
  JOIN days ON days.cut = cuts.source
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
INSERT INTO days (cut, at, key_id, model, provider, endpoint, status, error,
    calls, prompt_tokens, completion_tokens, cached_tokens, cost_nano_usd, attempts, first_token_ms, total_ms, queue_ms, failed,
    f00, f01, f02, f03, f04, f05, f06, f07, f08, f09, f10, f11, f12, f13, f14, f15,
    f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31,
    t00, t01, t02, t03, t04, t05, t06, t07, t08, t09, t10, t11, t12, t13, t14, t15,
    t16, t17, t18, t19, t20, t21, t22, t23, t24, t25, t26, t27, t28, t29, t30, t31,
    q00, q01, q02, q03, q04, q05, q06, q07, q08, q09, q10, q11, q12, q13, q14, q15,
    q16, q17, q18, q19, q20, q21, q22, q23, q24, q25, q26, q27, q28, q29, q30, q31)
  SELECT cuts.cut, at,
    CASE WHEN cuts.cut IN ('key') THEN key_id ELSE '' END,
    '',
    CASE WHEN cuts.cut IN ('provider') THEN provider ELSE '' END,
    CASE WHEN cuts.cut IN ('endpoint') THEN endpoint ELSE '' END,
    CASE WHEN cuts.cut IN ('errors') THEN status ELSE '' END,
    CASE WHEN cuts.cut IN ('errors') THEN error ELSE '' END,
    SUM(calls), SUM(prompt_tokens), SUM(completion_tokens), SUM(cached_tokens), SUM(cost_nano_usd),
    SUM(attempts), SUM(first_token_ms), SUM(total_ms), SUM(queue_ms), SUM(failed),
    SUM(f00), SUM(f01), SUM(f02), SUM(f03), SUM(f04), SUM(f05), SUM(f06), SUM(f07), SUM(f08), SUM(f09), SUM(f10), SUM(f11), SUM(f12), SUM(f13), SUM(f14), SUM(f15),
    SUM(f16), SUM(f17), SUM(f18), SUM(f19), SUM(f20), SUM(f21), SUM(f22), SUM(f23), SUM(f24), SUM(f25), SUM(f26), SUM(f27), SUM(f28), SUM(f29), SUM(f30), SUM(f31),
    SUM(t00), SUM(t01), SUM(t02), SUM(t03), SUM(t04), SUM(t05), SUM(t06), SUM(t07), SUM(t08), SUM(t09), SUM(t10), SUM(t11), SUM(t12), SUM(t13), SUM(t14), SUM(t15),
    SUM(t16), SUM(t17), SUM(t18), SUM(t19), SUM(t20), SUM(t21), SUM(t22), SUM(t23), SUM(t24), SUM(t25), SUM(t26), SUM(t27), SUM(t28), SUM(t29), SUM(t30), SUM(t31),
    SUM(q00), SUM(q01), SUM(q02), SUM(q03), SUM(q04), SUM(q05), SUM(q06), SUM(q07), SUM(q08), SUM(q09), SUM(q10), SUM(q11), SUM(q12), SUM(q13), SUM(q14), SUM(q15),
    SUM(q16), SUM(q17), SUM(q18), SUM(q19), SUM(q20), SUM(q21), SUM(q22), SUM(q23), SUM(q24), SUM(q25), SUM(q26), SUM(q27), SUM(q28), SUM(q29), SUM(q30), SUM(q31)
  FROM (SELECT 'key' AS cut, 'uses' AS source UNION ALL
    SELECT 'all', 'kinds' UNION ALL
    SELECT 'endpoint', 'kinds' UNION ALL
    SELECT 'provider', 'kinds' UNION ALL
    SELECT 'errors', 'kinds') AS cuts
  JOIN days ON days.cut = cuts.source
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;

-- One key's rows of a span lie together, and are found by naming the spans. A model's keys are not: of those an index knows.
DROP INDEX minutes_by_key;
DROP INDEX hours_by_key;
CREATE INDEX hours_by_model ON hours (cut, model, at) WHERE cut = 'uses';
CREATE INDEX days_by_model ON days (cut, model, at) WHERE cut = 'uses';
