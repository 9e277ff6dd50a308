import { expect, test } from "bun:test";
import { atOnce } from "../lib/slices.ts";
import { readUpscalers, scaleIn } from "./listed-upscalers.ts";

const read = (list: unknown) => atOnce(readUpscalers(JSON.stringify(list)));
const A1111 = ["None", "Lanczos", "Nearest", "ESRGAN_4x", "R-ESRGAN 4x+ Anime6B"].map((name) => ({
  ...{ name, model_name: name, model_path: null, model_url: null, scale: 4 },
}));

test("a web UI's upscalers are models that enlarge images; its kernels are none", () => {
  expect(read(A1111)).toMatchObject([
    { id: "ESRGAN_4x", upscaler: { name: "ESRGAN_4x", scale: 4 }, category: "image" },
    { id: "R-ESRGAN-4x+-Anime6B", upscaler: { name: "R-ESRGAN 4x+ Anime6B", scale: 4 } },
  ]);
});

test.each([
  [["ESRGAN_4x"]],
  [{ upscalers: ["ESRGAN_4x"] }],
  [{ data: [{ name: "ESRGAN_4x", scale: null }] }],
  [{ models: [{ name: "ESRGAN_4x", scale: -1 }, { other: 1 }, null, 7, "a\u0000b"] }],
])("%j is a list as well", (list) => {
  expect(read(list)).toMatchObject([{ upscaler: { name: "ESRGAN_4x", scale: 4 } }]);
});

test("what is no list is none, and an empty one is one", () => {
  expect(read({ detail: "Not Found" })).toBeNull();
  expect(read([1, 2])).toBeNull();
  expect(atOnce(readUpscalers("<html>"))).toBeNull();
  expect(read([])).toEqual([]);
  expect(read(["None"])).toEqual([]);
});

test("a factor is what a name says, then what the list says, then 4", () => {
  const scales = [{ name: "2x_plain", scale: 4 }, { name: "plain", scale: 3 }, { name: "LDSR" }];
  expect(read(scales)?.map(({ upscaler }) => upscaler?.scale)).toEqual([2, 3, 4]);
});

test.each([
  ["ESRGAN_4x", 4],
  ["R-ESRGAN 2x+", 2],
  ["4x-UltraSharp", 4],
  ["realesr-general-x4v3", null],
  ["x8_plus", 8],
  ["SwinIR", null],
  ["v14x", null],
])("%s: %p", (name, scale) => {
  expect(scaleIn(name)).toBe(scale);
});
