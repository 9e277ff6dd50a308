import { describe, expect, test } from "bun:test";
import { ANY_KEY } from "../../test/any-key.ts";
import type { Key } from "../types.ts";
import { type AuthRules, authenticate, hashKey, type Keys } from "./authenticate.ts";

const open: AuthRules = {
  adminKeyHash: null,
  keys: { standing: "none", find: () => null, current: () => null },
  allowAnonymous: true,
  anonymousHosts: new Set(["box.lan"]),
  origins: new Set(["https://app.example.com"]),
};
const keyed: AuthRules = { ...open, adminKeyHash: hashKey("a-key-of-the-operator") };
const call = (headers: Record<string, string>, rules = open): string => {
  try {
    return authenticate(new Headers({ host: "127.0.0.1:8080", ...headers }), rules).keyId;
  } catch (error) {
    return error instanceof Error && "status" in error ? String(error.status) : "?";
  }
};

describe("without a key configured", () => {
  const cases: [name: string, headers: Record<string, string>, result: string][] = [
    ["a local program", {}, "anonymous"],
    ["an SDK that insists on a key", { authorization: "Bearer none" }, "anonymous"],
    ["localhost by name", { host: "LOCALHOST:8080" }, "anonymous"],
    ["IPv6 loopback", { host: "[::1]:8080" }, "anonymous"],
    ["a configured name", { host: "box.lan" }, "anonymous"],
    ["a re-bound name", { host: "evil.example" }, "401"],
    ["a name that begins like loopback", { host: "127.0.0.1.evil.example" }, "401"],
    ["no host at all", { host: "" }, "401"],
    ["a page of another site", { origin: "https://evil.example" }, "401"],
    ["a page in a sandbox", { origin: "null" }, "401"],
    ["a page of our own", { origin: "http://127.0.0.1:8080" }, "anonymous"],
    ["a page of an allowed origin", { origin: "https://app.example.com" }, "anonymous"],
    ["behind a proxy", { "x-forwarded-for": "10.0.0.1" }, "401"],
    ["behind a proxy that says only Via", { via: "1.1 proxy" }, "401"],
    ["behind a proxy that says X-Real-IP", { "x-real-ip": "10.0.0.1" }, "401"],
    ["behind a proxy that says Forwarded", { forwarded: "for=10.0.0.1" }, "401"],
  ];
  for (const [name, headers, result] of cases) {
    test(`${name}: ${result}`, () => expect(call(headers)).toBe(result));
  }
});

describe("with a key configured", () => {
  const good = { authorization: "Bearer a-key-of-the-operator" };
  test("the key opens, from anywhere", () => {
    expect(call({ ...good, host: "covey.example.com", "x-forwarded-for": "1.2.3.4" }, keyed)).toBe(
      "admin",
    );
    expect(call({ "x-api-key": "a-key-of-the-operator" }, keyed)).toBe("admin");
    expect(call({ authorization: "bearer   a-key-of-the-operator" }, keyed)).toBe("admin");
  });
  test("a wrong key does not become an anonymous call", () => {
    expect(call({ authorization: "Bearer a-key-of-the-operatoR" }, keyed)).toBe("401");
    expect(call({ "x-api-key": "x" }, keyed)).toBe("401");
  });
  test("a placeholder that did while there were no keys is told that it does no longer", () => {
    const told = (rules: AuthRules): string => {
      try {
        authenticate(new Headers({ host: "127.0.0.1", authorization: "Bearer none" }), rules);
      } catch (error) {
        return error instanceof Error ? error.message : "?";
      }
      return "let in";
    };
    expect(told(open)).toBe("let in");
    expect(told(keyed)).toContain("a placeholder such as 'none' is no longer taken for no key");
    expect(told({ ...keyed, allowAnonymous: false })).not.toContain("placeholder");
  });
  test("a wrong bearer is not made good by a right x-api-key", () => {
    expect(
      call({ authorization: "Bearer wrong", "x-api-key": "a-key-of-the-operator" }, keyed),
    ).toBe("401");
  });
  test("what is sent in the place of a key is never none", () => {
    for (const sent of [
      "Basic YTpi",
      "Token x",
      "sk-covey-x",
      "Bearer\tx",
      "Bearerx",
      "bearer x y",
    ])
      expect(call({ authorization: sent }, keyed)).toBe("401");
    expect(call({ authorization: "Basic YTpi" })).toBe("anonymous");
    expect(call({ authorization: "Bearer\ta-key-of-the-operator" }, keyed)).toBe("admin");
    expect(call({ authorization: "Basic YTpi", "x-api-key": "a-key-of-the-operator" }, keyed)).toBe(
      "admin",
    );
  });
  test("no key is anonymous only where that is allowed", () => {
    expect(call({}, keyed)).toBe("anonymous");
    expect(call({}, { ...keyed, allowAnonymous: false })).toBe("401");
  });
});

describe("keys that were made", () => {
  const KEY: Key = { ...ANY_KEY, prefix: "abcdefgh" };
  const NOW = 1000;
  const as = (rules: Partial<Keys>, text: string, adminKeyHash: Buffer | null = null): string => {
    const keys: Keys = {
      standing: "some",
      find: (presented) => (presented === "good" ? KEY : null),
      current: () => null,
      ...rules,
    };
    const headers = new Headers({ host: "127.0.0.1", authorization: `Bearer ${text}` });
    try {
      return authenticate(headers, { ...open, adminKeyHash, keys }, NOW).keyId;
    } catch (error) {
      return error instanceof Error && "status" in error ? String(error.status) : "?";
    }
  };

  test("open as themselves, and nothing else does", () => {
    expect([as({}, "good"), as({}, "other")]).toEqual(["key_1", "401"]);
  });

  const ended: [name: string, change: Partial<Key>][] = [
    ["disabled", { disabledAt: 1 }],
    ["revoked", { revokedAt: 1 }],
    ["expired", { expiresAt: NOW }],
  ];
  test.each(ended)("a %s one is a 401", (_, change) => {
    expect(as({ find: () => ({ ...KEY, ...change }) }, "good")).toBe("401");
  });

  test("one that expires later opens", () => {
    expect(as({ find: () => ({ ...KEY, expiresAt: NOW + 1 }) }, "good")).toBe("key_1");
  });

  test.each(["unknown", "stale"] as const)(
    "while they are %s no text opens or passes as anonymous, but for the admin key",
    (standing) => {
      expect([as({ standing }, "good"), as({ standing }, "other")]).toEqual(["503", "503"]);
      expect(as({ standing }, "the-operator's-key", hashKey("the-operator's-key"))).toBe("admin");
    },
  );

  test("any text is anonymous only while there is neither a key nor an admin key", () => {
    expect(as({ standing: "none" }, "other")).toBe("anonymous");
    expect(as({ standing: "none" }, "other", hashKey("the-operator's-key"))).toBe("401");
  });

  test("a wrong text is looked up and compared like a right one, whatever the admin key", () => {
    let asked = 0;
    const find = (): null => {
      asked += 1;
      return null;
    };
    as({ find }, "the-operator's-key", hashKey("the-operator's-key"));
    as({ find }, "other", hashKey("the-operator's-key"));
    as({ find }, "other");
    expect(asked).toBe(3);
  });
});
