import { beforeEach, expect, spyOn, test } from "bun:test";
import crypto, { randomBytes } from "node:crypto";
import { makeKeyText } from "../../lib/key-text.ts";
import type { Key } from "../../types.ts";
import { KeyIndex } from "./key-index.ts";
import type { StoredKey } from "./key-row.ts";
import { ServerSecret } from "./secret.ts";

/** Counts what is computed: that unknown and known texts cost the same is so by construction. */
class CountingSecret extends ServerSecret {
  hashes = 0;
  override hash(text: string): Buffer {
    this.hashes += 1;
    return super.hash(text);
  }
}

const secret = new CountingSecret("a secret of the test's, long enough");
let index: KeyIndex;
let version: number;

beforeEach(() => {
  index = new KeyIndex(secret);
  version = 0;
});

const KEY: Omit<Key, "id" | "prefix"> = {
  name: "test",
  owner: "",
  role: "key",
  plan: null,
  models: null,
  endpoints: null,
  budget: null,
  tags: [],
  payloads: null,
  createdAt: 1,
  expiresAt: null,
  disabledAt: null,
  revokedAt: null,
};

function made(id: string, change: Partial<Key> = {}): { text: string; stored: StoredKey } {
  const { text, prefix } = makeKeyText(randomBytes);
  const key = { ...KEY, id, prefix, ...change };
  version += 1;
  return {
    text,
    stored: { key, hash: secret.hash(text), previous: null, secretMark: secret.mark, version },
  };
}

test("any text costs one hash of it and one comparison in constant time", () => {
  const { text, stored } = made("key_1");
  index.apply([stored]);
  const compare = spyOn(crypto, "timingSafeEqual");
  const wrong = `${text.slice(0, -8)}00000000`;
  for (const presented of [text, wrong, makeKeyText(randomBytes).text, "no key of ours", ""]) {
    secret.hashes = 0;
    index.find(presented);
    expect(secret.hashes).toBe(1);
  }
  compare.mockRestore();
  expect(index.find(text)?.id).toBe("key_1");
  expect(index.find(wrong)).toBeNull();
});

test("nothing opens where there is nothing, not even an empty text", () => {
  expect([index.exist, index.find(""), index.find("sk-covey-")]).toEqual([false, null, null]);
});

test("an older version that comes late changes nothing", () => {
  const { text, stored } = made("key_1");
  const revoked = { ...stored, key: { ...stored.key, revokedAt: 5 }, version: 7 };
  index.apply([revoked]);
  index.apply([stored]);
  expect(index.find(text)?.revokedAt).toBe(5);
});

test("a text that was replaced opens until its time, and is forgotten with the next", () => {
  const first = made("key_1", { expiresAt: 900 });
  const second = made("key_1", { expiresAt: 900 });
  const previous = { prefix: first.stored.key.prefix, hash: first.stored.hash, until: 500 };
  index.apply([first.stored]);
  index.apply([{ ...second.stored, previous }]);
  expect(index.find(first.text)).toMatchObject({ id: "key_1", expiresAt: 500 });
  expect(index.find(second.text)).toMatchObject({ id: "key_1", expiresAt: 900 });
  expect(index.current(first.stored.key)).toMatchObject({ expiresAt: 500 });
  const third = made("key_1");
  const after = { prefix: second.stored.key.prefix, hash: second.stored.hash, until: 600 };
  index.apply([{ ...third.stored, previous: after }]);
  expect(index.find(first.text)).toBeNull();
  expect(index.current(first.stored.key)).toBeNull();
});

test("once there was a key there is never none again", () => {
  const { text, stored } = made("key_1");
  index.apply([stored]);
  index.replace([]);
  expect([index.exist, index.find(text)]).toEqual([true, null]);
});

test("keys of another secret open nothing and are counted", () => {
  const { text, stored } = made("key_1");
  const other = new KeyIndex(new ServerSecret("another secret, and just as long as it"));
  other.apply([stored]);
  expect([other.find(text), other.foreign]).toEqual([null, 1]);
  other.replace([]);
  expect(other.foreign).toBe(0);
});
