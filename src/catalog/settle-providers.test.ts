import { expect, test } from "bun:test";
import { loadProviderFiles, SHIPPED_PROVIDERS } from "./providers.ts";
import {
  faultWarnings,
  type ProviderChoice,
  providerWarnings,
  settleProviders,
  unusedKeys,
} from "./settle-providers.ts";

const FILES = loadProviderFiles([SHIPPED_PROVIDERS]);
const NAMED: ProviderChoice = { models: [], priority: 0, weight: 1, prices: {} };

function settled(
  id: string,
  choice: Partial<ProviderChoice> = {},
  env: Record<string, string> = {},
) {
  const all = settleProviders(
    { [id]: { ...NAMED, ...choice } },
    FILES,
    (name) => env[name] ?? null,
  );
  const [only] = all;
  if (only === undefined) throw new Error("there is one");
  return only;
}
const MODEL = { id: "m", aliases: [] };

test("a hosted provider that is only named works once its key is there", () => {
  const provider = settled("featherless", {}, { FEATHERLESS_API_KEY: "sk-1" });
  expect(provider.settings).toMatchObject({
    id: "featherless",
    baseUrl: "https://api.featherless.ai/v1",
    keys: ["sk-1"],
    missingKey: null,
    concurrency: null,
  });
  expect(provider.discover).toBe(true);
});

test("without its key it is told which variable to set", () => {
  const provider = settled("hybridinference");
  expect(provider.settings.missingKey).toBe("HYBRIDINFERENCE_API_KEY or FREEINFERENCE_API_KEY");
  expect(providerWarnings([provider])[0]).toStartWith(
    "provider hybridinference: HYBRIDINFERENCE_API_KEY or FREEINFERENCE_API_KEY is not set",
  );
});

test("several keys may be in one variable and in several", () => {
  const env = { A: "k1, k2", B: "k2 k3" };
  expect(settled("openrouter", { apiKeyEnv: ["A", "B"] }, env).settings.keys).toEqual([
    "k1",
    "k2",
    "k3",
  ]);
});

test("a server of one's own needs no key, but one that the config names", () => {
  const choice = { type: "vllm", baseUrl: "http://gpu:8000/v1/" };
  expect(settled("gpu", choice).settings).toMatchObject({
    baseUrl: "http://gpu:8000/v1",
    missingKey: null,
  });
  expect(settled("gpu", { ...choice, apiKeyEnv: "GPU_KEY" }).settings.missingKey).toBe("GPU_KEY");
});

test("an id that is no file is a server that is merely compatible", () => {
  const provider = settled("my-box", { baseUrl: "http://box/v1", models: [MODEL] });
  expect(provider.type).toBe("openai-compatible");
});

test("an id that is another name of a file is that file", () => {
  expect(settled("freeinference").type).toBe("hybridinference");
});

test("models that are named are not discovered, unless that is said too", () => {
  const models = [MODEL];
  expect(settled("featherless", { models }).discover).toBe(false);
  expect(settled("featherless", { models, discover: true }).discover).toBe(true);
});

test("the config's limits win over the file's", () => {
  const { limits } = settled("featherless", { gapTimeout: 1, concurrency: 4 }).settings;
  expect(limits).toEqual({
    connect: 5_000,
    firstByte: 60_000,
    firstToken: 60_000,
    gap: 1,
    answer: 600_000,
  });
});

test.each([
  [
    "box",
    {},
    'base_url is missing, and there is no provider file "box"; the providers that need none are',
  ],
  ["fetherless", {}, "did you mean featherless?"],
  ["gpu", { type: "vllm" }, "provider gpu: base_url is missing: vllm servers run anywhere"],
  ["gpu", { type: "vlm" }, 'there is no provider file "vlm"; did you mean "vllm"?'],
  ["featherless", { discover: false }, "provider featherless has no models"],
])("%p with %p is refused with what to do", (id, choice, message) => {
  expect(() => settled(id, choice)).toThrow(message);
});

test("a bad provider file is an error for who needs it, and a warning for all others", () => {
  const faults = new Map([["acme", 'acme.toml:1: unknown key "nam"']]);
  const settleWith = (choices: Record<string, ProviderChoice>) =>
    settleProviders(choices, FILES, () => null, { faults });
  const box = { ...NAMED, baseUrl: "http://box/v1" };
  expect(settleWith({ box })).toHaveLength(1);
  expect(faultWarnings(faults)).toEqual([
    'acme.toml:1: unknown key "nam" (no provider of the config uses this file)',
  ]);
  expect(() => settleWith({ acme: box })).toThrow('acme.toml:1: unknown key "nam"');
  expect(() => settleWith({ mine: { ...box, type: "acme" } })).toThrow("acme.toml:1");
});

test("what is wrong with a provider is told with its place in the config", () => {
  const told = { place: (at: readonly string[]) => `covey.toml(${at.join(".")}): ` };
  expect(() =>
    settleProviders({ gpu: { ...NAMED, type: "vlm" } }, FILES, () => null, told),
  ).toThrow('covey.toml(providers.gpu.type): provider gpu: there is no provider file "vlm"');
});

test("the config decides whose sampling defaults hold, and adds what its models can do", () => {
  const { file } = settled("gpu", {
    type: "vllm",
    baseUrl: "http://gpu/v1",
    samplingDefaults: "engine",
    features: ["tool_use"],
  }).settings;
  expect(file).toMatchObject({ sampling_defaults: "engine", features: ["tool_use"] });
  expect(FILES.get("vllm")).toMatchObject({ sampling_defaults: "openai", features: [] });
});

test("a key that is there for a provider that is not switched on is found", () => {
  const env: Record<string, string> = {
    FEATHERLESS_API_KEY: "a",
    OPENROUTER_API_KEY: "b",
    VLLM_API_KEY: "c",
  };
  const secret = (name: string) => env[name] ?? null;
  expect(unusedKeys([settled("openrouter")], FILES, secret)).toEqual([
    { provider: "featherless", variable: "FEATHERLESS_API_KEY" },
  ]);
  const other = settled("mine", { type: "featherless" });
  expect(unusedKeys([settled("openrouter"), other], FILES, secret)).toEqual([]);
});
