import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ROOT, startCovey, type TestCovey } from "../covey.ts";
import { cosine, farthest, REFERENCE } from "../embeddings/reference.ts";
import { runJobs } from "./jobs.ts";
import { prepareSdks } from "./prepare.ts";

/** OpenAI's SDKs, and the programs of a provider's documentation, with the embedded model. */

const sdks = await prepareSdks();
const PATIENCE_MS = 60_000;
const MODEL = "sentence-transformers/all-MiniLM-L6-v2";
/** Cat, kitten, server racks. */
const SENTENCES = REFERENCE.slice(1, 4);

let covey: TestCovey;
beforeAll(async () => {
  covey = await startCovey();
});
afterAll(() => covey.close());

const Answer = z.object({
  vectors: z.array(z.array(z.number())),
  indexes: z.array(z.number()),
  tokens: z.number(),
});

describe.skipIf(sdks.length === 0).each(sdks.map((sdk) => [sdk.name, sdk] as const))(
  "%s",
  (_, sdk) => {
    test(
      "reads embeddings, which it asks for in base64 unless told, and they rank as a person would",
      async () => {
        const prompt = SENTENCES.map(({ text }) => text);
        const asked = { url: covey.url, key: "none", model: "all-minilm", prompt };
        const results = await runJobs(sdk, [
          { ...asked, do: "embeddings" },
          { ...asked, do: "embeddings", more: { encoding_format: "float" } },
          { ...asked, do: "embeddings", more: { dimensions: 12 } },
        ]);
        for (const { ok, error } of results.slice(0, 2)) {
          expect(error).toBeUndefined();
          const { vectors, indexes, tokens } = Answer.parse(ok);
          expect(indexes).toEqual([0, 1, 2]);
          expect(tokens).toBe(SENTENCES.reduce((sum, { ids }) => sum + ids.length, 0));
          for (const [at, { vector }] of SENTENCES.entries())
            expect(farthest(vectors[at] ?? [], vector)).toBeLessThan(1e-3);
          const [cat = [], kitten = [], racks = []] = vectors;
          expect(cosine(cat, kitten)).toBeGreaterThan(2 * cosine(cat, racks));
          expect(cosine(cat, kitten)).toBeGreaterThan(2 * cosine(kitten, racks));
        }
        expect(results[2]?.error).toMatchObject({ status: 400, param: "dimensions" });
      },
      PATIENCE_MS,
    );
  },
);

/** Word for word, but for key, base URL and model. */
async function runSeed(python: string, name: string): Promise<string> {
  const program = readFileSync(join(ROOT, "test/e2e/seed", name), "utf8")
    .replace("your-featherless-api-key", "any")
    .replace("https://api.featherless.ai/v1", `${covey.url}/v1`)
    .replace("Qwen/Qwen3-Embedding-8B", MODEL);
  const child = Bun.spawn([python, "-c", program], { stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return out;
}

const python = sdks.find(({ name }) => name.startsWith("openai-python"))?.command[0];

test.skipIf(python === undefined)(
  "a provider's example programs run with key, base URL and model changed",
  async () => {
    const single = await runSeed(python ?? "", "embeddings-single.py.txt");
    const [numbers = "", usage = ""] = single.trim().split("\n");
    const first = z.array(z.number()).parse(JSON.parse(numbers));
    expect(farthest(first, REFERENCE[0]?.vector.slice(0, 5) ?? [])).toBeLessThan(1e-3);
    expect(usage).toContain("prompt_tokens=10, total_tokens=10");
    const batch = await runSeed(python ?? "", "embeddings-batch.py.txt");
    expect(batch).toBe("0 384\n1 384\n2 384\n");
  },
  PATIENCE_MS,
);
