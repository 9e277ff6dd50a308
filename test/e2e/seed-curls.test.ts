import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CoveyProcess, spawnCovey } from "../covey.ts";
import type { Dialect } from "../fake-styles.ts";
import { type FakeUpstream, fakeUpstream } from "../fake-upstream.ts";
import { isHere } from "../needs.ts";
import { type OracleSchema, oracle } from "../oracle.ts";
import { until } from "./wire.ts";

/**
 * What providers' documentation tells people to type (seed/curls.sh: word for word, keys included) works
 * with nothing changed but the base URL, where that provider is configured. Not here are the commands for
 * /v1/txt2img, /v1/img2img, /v1/img-samplers, /v1/img-options and /sdapi/v1/sd-models: Covey makes no
 * images yet. Those about upscaling are in `test/upscale/seed-curls.test.ts`.
 *
 * The fake upstream is Covey's HTTP proxy, and plays the provider at a public address: one on a private
 * address would be sent no image URLs.
 */
const PUBLIC = "http://1.1.1.1/v1";
const PROVIDERS = [
  ["featherless", "https://api.featherless.ai/v1", "FEATHERLESS_API_KEY"],
  ["arli", "https://api.arliai.com/v1", "ARLI_API_KEY"],
] as const satisfies readonly (readonly [Dialect, string, string])[];
const KEY = "sk-operator-eeeeeeeeeeeeeeeeeeee";

const COMMANDS = readFileSync(join(import.meta.dir, "seed/curls.sh"), "utf8")
  .trim()
  .split("\n\n")
  .slice(1);
const SCHEMAS: readonly (readonly [path: string, schema: OracleSchema])[] = [
  ["/chat/completions", "CreateChatCompletionResponse"],
  ["/completions", "CreateCompletionResponse"],
  ["/models", "ListModelsResponse"],
];

const runs = isHere("sh", "curl");

describe.skipIf(!runs).each(PROVIDERS)("%s", (dialect, base, keyName) => {
  const commands = COMMANDS.filter((command) => command.includes(base));
  let upstream: FakeUpstream;
  let covey: CoveyProcess;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "covey-typed-"));
    upstream = fakeUpstream({ dialect });
    const file = join(folder, "covey.toml");
    writeFileSync(
      file,
      `[engine]\npreload = false\n[providers.${dialect}]\nbase_url = "${PUBLIC}"\n`,
    );
    const proxy = { HTTP_PROXY: upstream.origin, http_proxy: upstream.origin };
    covey = await spawnCovey(["--home", join(folder, "home"), "--config", file], {
      ...proxy,
      NO_PROXY: "",
      no_proxy: "",
      [keyName]: KEY,
    });
    await until(async () => {
      const list = await (await fetch(`${covey.url}/v1/models`)).text();
      return list.includes("Qwen/Qwen2.5-72B-Instruct") ? true : null;
    }, "its models are listed");
  }, 30_000);
  afterAll(async () => {
    await covey.end();
    await upstream.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs a command as it is typed, and gives its status and body. */
  async function typed(command: string) {
    const script = `curl() { command curl -sS --write-out '\\n%{http_code}' "$@"; }\n${command}`;
    const child = Bun.spawn(["sh", "-c", script], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err, code] = await Promise.all([
      child.stdout.text(),
      child.stderr.text(),
      child.exited,
    ]);
    expect([code, err]).toEqual([0, ""]);
    const lines = out.trimEnd().split("\n");
    const status = lines.pop();
    return { status, body: Object(JSON.parse(lines.join("\n"))) };
  }

  test("there are commands", () => {
    expect(commands.length).toBe(dialect === "featherless" ? 10 : 4);
  });

  test.each(commands.map((command) => [command.split("\n", 1)[0] ?? "", command] as const))(
    "%s",
    async (_, command) => {
      const before = upstream.requests.length;
      const { status, body } = await typed(command.replace(base, `${covey.url}/v1`));
      expect([status, body.error]).toEqual(["200", undefined]);
      const [, schema] = SCHEMAS.find(([path]) => command.includes(path)) ?? [];
      if (schema !== undefined) oracle(schema)(body);
      else expect(body.count).toBeGreaterThan(3);
      if (command.includes("/models")) return;
      expect(body.model).toBe(/"model": "([^"]+)"/.exec(command)?.[1]);
      const sent = upstream.requests.at(-1);
      expect(upstream.requests).toHaveLength(before + 1);
      expect(sent?.headers.get("authorization")).toBe(`Bearer ${KEY}`);
      expect(sent?.body.model).toBe(body.model);
      const image = /"url": "([^"]+)"/.exec(command)?.[1];
      if (image !== undefined) expect(JSON.stringify(sent?.body)).toContain(`"url":"${image}"`);
    },
  );
});
