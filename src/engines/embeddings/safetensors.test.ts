import { expect, test } from "bun:test";
import { readSafetensors } from "./safetensors.ts";

function file(header: object, data: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const whole = new Uint8Array(8 + text.length + data.length);
  new DataView(whole.buffer).setBigUint64(0, BigInt(text.length), true);
  whole.set(text, 8);
  whole.set(data, 8 + text.length);
  return whole;
}

test("tensors of floats are found by name with their shapes and bytes", () => {
  const tensors = readSafetensors(
    file(
      {
        __metadata__: { format: "pt" },
        ids: { dtype: "I64", shape: [1], data_offsets: [0, 8] },
        half: { dtype: "F16", shape: [2, 2], data_offsets: [8, 16] },
        whole: { dtype: "F32", shape: [1], data_offsets: [16, 20] },
      },
      Uint8Array.from({ length: 20 }, (_, at) => at),
    ),
  );
  expect([...tensors.keys()]).toEqual(["half", "whole"]);
  expect(tensors.get("half")).toEqual({
    type: "float16",
    shape: [2, 2],
    bytes: Uint8Array.of(8, 9, 10, 11, 12, 13, 14, 15),
  });
});

test.each([
  ["too short", Uint8Array.of(1, 2)],
  ["a header that is cut off", file({}, new Uint8Array()).subarray(0, 9)],
  [
    "a tensor that is cut off",
    file({ a: { dtype: "F32", shape: [4], data_offsets: [0, 16] } }, new Uint8Array(8)),
  ],
  [
    "a length that is not its shape's",
    file({ a: { dtype: "F32", shape: [4], data_offsets: [0, 8] } }, new Uint8Array(16)),
  ],
])("%s is no safetensors file", (_, bytes) => {
  expect(() => readSafetensors(bytes)).toThrow("not a safetensors file");
});
