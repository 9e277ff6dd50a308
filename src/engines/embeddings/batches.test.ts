import { expect, test } from "bun:test";
import { Batches } from "./batches.ts";

const texts = (...lengths: number[]) =>
  lengths.map((length, index) => ({ tokens: new Int32Array(length), index }));
const shown = (batches: Batches): string =>
  batches
    .next()
    .map(({ id, index, tokens }) => `${id}.${index}:${tokens.length}`)
    .join(" ");

test("texts of about one length go together, and never more tokens than a batch may have", () => {
  const batches = new Batches(32);
  batches.add("key", 1, texts(4, 16, 5, 15, 3));
  expect(shown(batches)).toBe("1.1:16 1.3:15");
  expect(shown(batches)).toBe("1.2:5 1.0:4");
  expect(shown(batches)).toBe("1.4:3");
  expect(batches.isEmpty).toBe(true);
  expect(batches.next()).toEqual([]);
});

test("requests share batches, and take turns in leading one", () => {
  const batches = new Batches(20);
  batches.add("key", 1, texts(10, 10, 10, 10));
  batches.add("key", 2, texts(3));
  batches.add("key", 3, texts(10));
  expect(shown(batches)).toBe("1.3:10 1.2:10");
  expect(shown(batches)).toBe("2.0:3");
  expect(shown(batches)).toBe("3.0:10 1.1:10");
  expect(shown(batches)).toBe("1.0:10");
});

test("a request with a thousand texts delays another's one by a batch", () => {
  const batches = new Batches(64);
  batches.add("key", 1, texts(...Array.from({ length: 1_000 }, () => 32)));
  batches.next();
  batches.add("key", 2, texts(500));
  batches.next();
  expect(shown(batches)).toBe("2.0:500");
});

test("a key with a hundred requests delays another's single one by a batch, and gets all the rest", () => {
  const batches = new Batches(64);
  for (let id = 0; id < 100; id++) batches.add("many", id, texts(60, 60));
  expect(shown(batches)).toBe("0.1:60");
  batches.add("one", 100, texts(3));
  expect([shown(batches), shown(batches), shown(batches)]).toEqual(["1.1:60", "100.0:3", "2.1:60"]);
});

test("texts of another key that are about as long join a batch", () => {
  const batches = new Batches(32);
  batches.add("one", 1, texts(10));
  batches.add("one", 2, texts(10, 10));
  batches.add("other", 3, texts(9));
  expect(shown(batches)).toBe("1.0:10 3.0:9 2.1:10");
  expect(shown(batches)).toBe("2.0:10");
  expect(batches.isEmpty).toBe(true);
});

test("a text longer than a batch is alone in one", () => {
  const batches = new Batches(8);
  batches.add("key", 1, texts(100, 2));
  expect(shown(batches)).toBe("1.0:100");
  expect(shown(batches)).toBe("1.1:2");
});

test("what is cancelled is in no batch any more", () => {
  const batches = new Batches(8);
  batches.add("key", 1, texts(4, 4, 4));
  batches.next();
  batches.cancel("key", 1);
  expect(batches.isEmpty).toBe(true);
});

test("every text is in exactly one batch, and at most a quarter of one is padding", () => {
  const batches = new Batches(256);
  let random = 7;
  const length = () => {
    random = (random * 48_271) % 2_147_483_647;
    return 1 + (random % 200);
  };
  for (let id = 0; id < 20; id++)
    batches.add("key", id, texts(...Array.from({ length: 1 + (length() % 30) }, length)));
  const seen = new Map<string, number>();
  let wanted = 0;
  for (let batch = batches.next(); batch.length > 0; batch = batches.next()) {
    const longest = Math.max(...batch.map(({ tokens }) => tokens.length));
    expect(batch.length === 1 || longest * batch.length <= 256).toBe(true);
    for (const { id, index, tokens } of batch) {
      expect(tokens.length).toBeGreaterThanOrEqual(longest * 0.75);
      seen.set(`${id}.${index}`, (seen.get(`${id}.${index}`) ?? 0) + 1);
      wanted++;
    }
  }
  expect(seen.size).toBe(wanted);
});
