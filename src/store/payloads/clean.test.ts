import { describe, expect, test } from "bun:test";
import { clean, cut } from "./clean.ts";
import { Redactor } from "./redactor.ts";

const redactor = new Redactor(
  ["hunter\\d", "(?i)password\\s*[:=]\\s*\\S+"],
  ["a-provider's-secret"],
);
const kept: { text: string; type: string }[] = [];
const keepBytes = (bytes: Uint8Array, type: string) => {
  kept.push({ text: new TextDecoder().decode(bytes), type });
  return "[bytes]";
};
const cleaned = (payload: Record<string, unknown>) => clean(payload, redactor, keepBytes);

describe("a text that is kept", () => {
  test.each([
    ["a key of a vendor's shape", "use sk-abcdef0123456789 now", "use [key] now"],
    ["a key of ours amid a word", "key%3Dsk-covey-abcdefgh-123&x", "key%3D[key]&x"],
    ["a bearer token", "authorization: Bearer abc.def-ghi123", "authorization: [key]"],
    ["a key that this process knows", "it is a-provider's-secret.", "it is [key]."],
    ["an e-mail address", "ask ada.l+x@mail.example.co.uk, please", "ask [email], please"],
    ["an address with umlauts", "müller@köln.de", "[email]"],
    ["a user's rule", "the word is hunter2", "the word is [redacted]"],
    ["a rule's match that holds an address", "Password: me@x.org!", "[redacted]"],
    [
      "what no rule finds",
      "version 3.4 @ noon, 5 sk- and me@home",
      "version 3.4 @ noon, 5 sk- and me@home",
    ],
  ])("has %s taken out", (_, text, shown) => {
    expect(cleaned({ text })).toEqual({ text: shown });
  });

  test("is looked at wherever it stands: names, numbers, nested lists, a tool's escaped arguments", () => {
    const digits = new Redactor(["\\d{6,}"], []);
    expect(
      clean({ "id 1234567": [{ deep: [1234567, "12"] }, ["x 1234567"]] }, digits, keepBytes),
    ).toEqual({ "id [redacted]": [{ deep: ["[redacted]", "12"] }, ["x [redacted]"]] });
    expect(cleaned({ arguments: '{"p":"hunte\\u0072\\u0032"}' })).toEqual({
      arguments: '{"p":"[redacted]"}',
    });
    expect(cleaned({ arguments: '{"p":"hunter2' })).toEqual({ arguments: '{"p":"[redacted]' });
    // Too deep to be read, and so to be seen into.
    const deep = `${"[".repeat(60_000)}"hunte\\u0072\\u0032"${"]".repeat(60_000)}`;
    expect(cleaned({ arguments: deep })).toEqual({ arguments: "[left out]" });
  });

  test("does not take the place of another field, nor of the prototype", () => {
    const two = cleaned({ "a@b.cc": 1, "c@d.ee": 2 });
    expect(two).toEqual({ "[email]": 1, "[email]'": 2 });
    const own = cleaned(JSON.parse('{"__proto__":{"polluted":"hunter2"}}'));
    expect(JSON.stringify(own)).toBe('{"__proto__":{"polluted":"[redacted]"}}');
    expect(Object.getPrototypeOf(own)).toBe(Object.prototype);
  });
});

test("pieces too small for a rule to see are left out", () => {
  expect(
    cleaned({
      prompt: [104, 117, 110],
      embedding: [0.1, 0.2],
      logprobs: { content: [{ token: "hun" }, { token: "ter2" }] },
      nested: { logprobs: true, data: [{ embedding: "AAAA" }] },
    }),
  ).toEqual({
    prompt: "[3 numbers]",
    embedding: "[left out]",
    logprobs: "[left out]",
    nested: { logprobs: true, data: [{ embedding: "[left out]" }] },
  });
});

describe("bytes in base64", () => {
  const base64 = Buffer.from("hunter2 ".repeat(8)).toString("base64");

  test.each([
    ["a data URI", { url: `data:image/png;base64,${base64}` }, "[bytes]", "image/png"],
    [
      "one with parameters",
      { url: `DATA:text/plain;charset=x;BASE64,${base64}` },
      "[bytes]",
      "text/plain",
    ],
    ["one inside a text", { t: `a data:image/gif;base64,${base64} b` }, "a [bytes] b", "image/gif"],
    ["a field for bytes", { b64_json: base64 }, "[bytes]", ""],
    ["a list of them", { images: [base64] }, ["[bytes]"], ""],
  ])("are taken out of %s", (_, payload, shown, type) => {
    kept.length = 0;
    expect(Object.values(cleaned(payload))).toEqual([shown]);
    expect(kept).toEqual([{ text: "hunter2 ".repeat(8), type }]);
  });

  test("that can't be decoded are not kept as text", () => {
    expect(cleaned({ t: `data:text/plain;base64,${base64.slice(0, 61)} end` })).toEqual({
      t: "[bytes] end",
    });
  });

  test("are found in a time that grows with the text alone", () => {
    const text = `${"data:".repeat(20_000)}${";base64,".repeat(20_000)}`;
    expect(typeof cleaned({ text }).text).toBe("string");
  });
});

test("what is too long is cut after it was redacted, and says how much is missing", () => {
  const whole = { a: "x".repeat(100), b: ["y".repeat(100), "z"], c: { d: "w" } };
  expect(cut(whole, 10_000)).toEqual(whole);
  const short = JSON.stringify(cut(whole, 150));
  expect(short.length).toBeLessThan(300);
  expect(short).toContain("characters more]");
});
