import { expect, test } from "bun:test";
import { pngOf } from "../../test/images.ts";
import { upscaledImage } from "./upscaled-image.ts";

const PNG = pngOf(8, 6);
const base64 = PNG.toString("base64");
const found = { base64, format: "png", width: 8, height: 6 };

test.each([
  ["a web UI's", { image: base64, html_info: "" }],
  ["Arli AI's", { images: [base64], info: {} }],
  ["one with a data URI", { image: `data:image/jpeg;base64,${base64}` }],
  ["one in lines", { image: base64.replace(/.{20}/g, "$&\n") }],
])("%s answer has its image, by its content", (_, answer) => {
  expect(upscaledImage(answer)).toMatchObject(found);
});

test("a few bytes behind the end are no harm", () => {
  const image = Buffer.concat([PNG, Buffer.from("\n")]).toString("base64");
  expect(upscaledImage({ image })).toMatchObject({ width: 8, format: "png" });
});

test.each([
  ["nothing", {}],
  ["null", { image: null, images: [] }],
  ["an empty text", { image: "" }],
  ["half of it", { image: PNG.subarray(0, PNG.length - 20).toString("base64") }],
  ["no base64", { image: `${base64.slice(0, 40)}?` }],
  ["a web page", { images: [Buffer.from("<!doctype html>").toString("base64")] }],
  ["a GIF", { image: "R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=" }],
])("%s is no image", (_, answer) => {
  expect(upscaledImage(answer)).toBeNull();
});
