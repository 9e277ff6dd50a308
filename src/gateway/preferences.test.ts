import { expect, test } from "bun:test";
import { ProviderPreferences } from "../contract/routing.ts";
import type { JsonObject } from "../types.ts";
import { preferencesOf, unknownWishes, withoutRouting } from "./preferences.ts";

const NONE = new Headers();

test("the model that was asked for comes first, and no model twice", () => {
  const { models } = preferencesOf({ model: "a", models: ["b", "a", "c", "b"] }, NONE);
  expect(models).toEqual(["a", "b", "c"]);
  expect(preferencesOf({ model: "a", models: null }, NONE).models).toEqual(["a"]);
});

test("prices are read as dollars a million tokens, numbers or texts, and an absent one is any", () => {
  const provider = ProviderPreferences.parse({ max_price: { prompt: "1.5", request: 2 } });
  expect(preferencesOf({ model: "a", provider }, NONE).maxPrice).toEqual({
    prompt: 1.5e-6,
    completion: Infinity,
    request: 2,
  });
});

test("a sort may be a name, or an object that names it", () => {
  const sorts: unknown[] = [
    { sort: "price" },
    { sort: { by: "latency", partition: "none" } },
    { sort: null },
  ];
  const read = sorts.map(
    (sort) => preferencesOf({ model: "a", provider: ProviderPreferences.parse(sort) }, NONE).sort,
  );
  expect(read).toEqual(["price", "latency", null]);
});

test("nothing said is no wish at all", () => {
  expect(preferencesOf({ model: "a", provider: {} }, NONE)).toEqual(
    preferencesOf({ model: "a" }, NONE),
  );
});

test("a header pins the call to one provider, whatever the body says", () => {
  const headers = new Headers({ "x-covey-provider": "Arli" });
  const provider = { only: ["other"], ignore: ["arli"] };
  expect(preferencesOf({ model: "a", provider }, headers)).toMatchObject({
    only: ["arli"],
    ignore: [],
  });
});

test("a header that is no provider's name is refused", () => {
  const headers = new Headers({ "x-covey-provider": "a b;c" });
  expect(() => preferencesOf({ model: "a" }, headers)).toThrow(
    expect.objectContaining({ status: 400 }),
  );
});

test("a session is the body's, else the header's, else that of the prompt cache", () => {
  const headers = new Headers({ "x-session-id": "header" });
  const of = (asked: Partial<Parameters<typeof preferencesOf>[0]>, sent = NONE) =>
    preferencesOf({ model: "a", ...asked }, sent).session;
  expect([
    of({ session_id: "body", prompt_cache_key: "cache" }, headers),
    of({ prompt_cache_key: "cache" }, headers),
    of({ prompt_cache_key: "cache" }),
    of({ prompt_cache_key: "" }),
    of({}),
  ]).toEqual(["body", "header", "cache", null, null]);
  expect(of({ prompt_cache_key: "x".repeat(1000) })).toHaveLength(256);
});

test("what targets are sent holds none of our fields, and a request without any is not copied", () => {
  const ours = { models: ["b"], provider: {}, route: "fallback", session_id: "s" };
  const more = { plugins: [], transforms: [], usage: { include: true }, chat_template: null };
  const input: JsonObject = { model: "a", ...ours, ...more, top_k: 3 };
  expect(withoutRouting(input)).toEqual({ model: "a", top_k: 3 });
  const plain = { model: "a", top_k: 3 };
  expect(withoutRouting(plain)).toBe(plain);
});

test("wishes that nobody fulfils are named", () => {
  const provider = { order: ["a"], zdr: true, experimental: { x: 1 }, nothing: null };
  expect(unknownWishes(provider)).toEqual(["provider.zdr", "provider.experimental"]);
  expect(unknownWishes(null)).toEqual([]);
});
