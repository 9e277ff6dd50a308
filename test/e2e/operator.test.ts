import { expect, test } from "bun:test";
import { startCovey } from "../covey.ts";
import { fakeUpstream } from "../fake-upstream.ts";
import { callIdOf, chatBody, endedRow, post } from "./wire.ts";

const KEYS = "sk-first-0123456789abcdef, sk-second-0123456789abcdef";

test("an outage is told to the operator: in the log, in /health/ready and in the call's attempts", async () => {
  const upstream = fakeUpstream();
  const covey = await startCovey({
    env: { SOME_KEYS: KEYS },
    toml: `
[engine]
preload = false
[routing]
attempts = 2
breaker_failures = 2
[providers.gpu]
base_url = "${upstream.url}"
api_key_env = "SOME_KEYS"
discover = false
models = [
  { id = "failing", upstream_id = "status-500" },
  { id = "refused", upstream_id = "status-401" },
  { id = "busy", upstream_id = "status-503" },
]
`,
  });
  try {
    const ask = async (model: string) => {
      const answer = await post(`${covey.url}/v1/chat/completions`, chatBody(model, "hello"));
      await answer.json();
      return endedRow(covey, callIdOf(answer));
    };
    const { attempts } = await ask("failing");
    expect(attempts.map(({ message }) => message)).toEqual([
      expect.stringContaining("'gpu' answered 500: upstream says 500"),
      expect.stringContaining("'gpu' answered 500"),
    ]);
    await ask("refused");
    await ask("busy");

    const logged = covey.logged.join("");
    for (const text of [
      "a target failed several times in a row and is left alone",
      "gpu/status-500",
      "a provider refused a key, which rests",
      "1 of 2",
      "2 of 2",
      "a target asked to be left alone",
      "gpu/status-503",
    ]) {
      expect(logged).toContain(text);
    }
    expect(logged).not.toContain("sk-");

    const ready = (await (await fetch(`${covey.url}/health/ready`)).json()) as {
      providers: { id: string; detail: string | null }[];
    };
    expect(ready.providers.find(({ id }) => id === "gpu")?.detail).toBe(
      "2 of 2 keys rest after a refusal; 1 of its models failed several times in a row; it asked for a pause for 1 of its models",
    );
  } finally {
    await covey.close();
    await upstream.close();
  }
});
