import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { expectAlive, expectWhole, type Pair, startPair } from "./pair.ts";

/** What is the request's own fault is not asked again: not here and not elsewhere. */

const REQUEST = [400, "invalid_request_error"] as const;
const TOO_LONG = [400, "context_length_exceeded"] as const;
const FILTERED = [400, "content_filter"] as const;

const REFUSALS: readonly (readonly [model: string, told: readonly [number, string]])[] = [
  ["status-400", REQUEST],
  ["status-422", REQUEST],
  ["status-413", [413, "invalid_request_error"]],
  ["contextlength-openai", TOO_LONG],
  ["contextlength-vllm", TOO_LONG],
  ["contextlength-vllmold", TOO_LONG],
  ["contextlength-sglang", TOO_LONG],
  ["contextlength-llamacpp", TOO_LONG],
  ["contextlength-tabbyapi", TOO_LONG],
  ["contextlength-openrouter", TOO_LONG],
  ["contentfilter-openai", FILTERED],
  ["contentfilter-openrouter", FILTERED],
];

let pair: Pair;
beforeAll(async () => {
  pair = await startPair([...REFUSALS.map(([model]) => model), "status-404"], {
    more: '[routing.models."alone/contextlength-openai"]\ncontext_fallback = "long"',
    models: ['{ id = "long", upstream_id = "story-40", context_length = 1000000 }'],
  });
});
afterAll(() => pair.close());
afterEach(() => expectAlive(pair));

describe.each([false, true])("a request that is refused (stream: %p)", (stream) => {
  test.each(REFUSALS)("%s is told as %p after one attempt", async (model, [status, code]) => {
    const seen = await pair.ask(`both/${model}`, { stream });
    expect(seen).toMatchObject({ status, stream: null });
    expect([code, String(seen.row.error)]).toContain(String(seen.error));
    expect(seen.row).toMatchObject({ status: "failed", http_status: status, completion_tokens: 0 });
    expect(pair.attempts(seen)).toEqual([1, 0]);
    expect(seen.headers.get("x-should-retry")).not.toBe("true");
    expect(seen.tookMs).toBeLessThan(2000);
  });

  test("a model that an upstream does not know is not asked for there again", async () => {
    const seen = await pair.ask("alone/status-404", { stream });
    expect([404, 502]).toContain(seen.status);
    expect(pair.attempts(seen)).toEqual([1, 0]);
  });

  test("what is too long goes to the model with more context that is configured", async () => {
    const seen = await pair.ask("alone/contextlength-openai", { stream });
    expectWhole(seen);
    expect(pair.attempts(seen)).toEqual([2, 0]);
    expect(pair.first.asked(seen.said, "contextlength-openai")).toBe(1);
    const model = stream ? Object(seen.stream?.chunks[0]).model : seen.body?.model;
    expect(model).toBe("long");
  });
});
