import { expect, test } from "bun:test";
import { startCovey } from "../covey.ts";
import { fakeUpstream } from "../fake-upstream.ts";
import { chatBody, post } from "./wire.ts";

test("what the config says of a model's routing holds by whichever of its names it says it", async () => {
  const upstream = fakeUpstream();
  const covey = await startCovey({
    toml: `
[engine]
preload = false
[routing.models.Tiny]
context_fallback = "large"
[providers.fake]
base_url = "${upstream.url}"
models = [
  { id = "Someone/Small", aliases = ["tiny"], upstream_id = "contextlength-openai" },
  { id = "large", upstream_id = "echo" },
]
`,
  });
  try {
    for (const name of ["Someone/Small", "tiny"]) {
      const answer = await post(`${covey.url}/v1/chat/completions`, chatBody(name, "Hi"));
      expect([answer.status, await answer.json()]).toEqual([
        200,
        expect.objectContaining({ model: "large" }),
      ]);
    }
  } finally {
    await covey.close();
    await upstream.close();
  }
});
