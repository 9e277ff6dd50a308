import { expect, test } from "bun:test";
import { urlSecrets, withoutUrl } from "./url-secrets.ts";

test("an address, its password as written and as meant, and its options are secrets", () => {
  const url =
    "postgres://covey:p%40ss-word@db.internal:5432/log?sslmode=require&sslpassword=pem-word";
  const text = `${url} p%40ss-word p@ss-word pem-word at db.internal as covey with require`;
  expect(withoutUrl(text, url, "the database")).toBe(
    "(the database) [key] [key] [key] at db.internal as covey with require",
  );
});

test("a password that is only the user's or the database's name hides no word of a line", () => {
  for (const url of ["postgres://covey:covey@host/log", "redis://:host@host:1"]) {
    expect(withoutUrl("covey on host writes log", url, "it")).toBe("covey on host writes log");
    expect(urlSecrets(url)).toContain(url);
  }
  expect(withoutUrl("a:b@c and b", "redis://a:b@c", "it")).toBe("a[key]c and b");
});

test("an address without a secret, one that is none, and none at all have no secrets", () => {
  for (const url of ["redis://host:6379/0", "redis://:x@host:port", null]) {
    expect(urlSecrets(url)).toEqual([]);
  }
});
