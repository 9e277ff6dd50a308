import { expect, test } from "bun:test";
import { PrivateHosts } from "./private-hosts.ts";

const NAMES: Record<string, string[]> = {
  "api.example": ["1.1.1.1", "2606:4700::1111"],
  "vllm.internal": ["10.0.0.7"],
  "both.example": ["1.1.1.1", "10.0.0.7"],
  "empty.example": [],
};
const look = async (host: string): Promise<string[]> => {
  const addresses = NAMES[host];
  if (addresses === undefined) throw new Error("ENOTFOUND");
  return addresses;
};

test.each([
  ["https://api.example/v1", false],
  ["https://1.1.1.1/v1", false],
  ["http://vllm.internal:8000/v1", true],
  ["http://both.example/v1", true],
  ["http://empty.example/v1", true],
  ["http://nowhere.example/v1", true],
  ["http://127.0.0.1:8000/v1", true],
  ["http://[::1]:8000/v1", true],
])("%s leads into this network: %p", async (url, inside) => {
  expect(await new PrivateHosts(look).has(url)).toBe(inside);
});

test("a name is looked up once a minute", async () => {
  let now = 0;
  let asked = 0;
  const hosts = new PrivateHosts(
    async () => {
      asked += 1;
      return ["1.1.1.1"];
    },
    () => now,
  );
  await Promise.all([hosts.has("https://api.example/a"), hosts.has("https://api.example/b")]);
  now = 59_999;
  await hosts.has("https://api.example/a");
  expect(asked).toBe(1);
  now = 60_000;
  await hosts.has("https://api.example/a");
  expect(asked).toBe(2);
});
