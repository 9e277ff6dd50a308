import { expect, test } from "bun:test";
import { contractSpelling } from "./upscale-spellings.ts";

test("formats are known in any case, and jpg as jpeg; what is none is told as it was sent, but for that", () => {
  for (const [sent, meant] of [
    ["PNG", "png"],
    ["jpg", "jpeg"],
    ["JPG", "jpeg"],
    ["WebP", "webp"],
    ["tiff", "tiff"],
  ])
    expect(contractSpelling({ format: sent })).toEqual({ format: meant });
  for (const body of [null, "x", ["x"], { format: 5, image: null, other: "A-B" }])
    expect(contractSpelling(body)).toEqual(body);
});

test("base64 of URLs is the same image, behind a data URI's head too; a URL stays a URL", () => {
  const image = (sent: string) => contractSpelling({ image: sent });
  expect(image("a-b_c+/=")).toEqual({ image: "a+b/c+/=" });
  expect(image("data:image/x-png;base64,a-_b")).toEqual({ image: "data:image/x-png;base64,a+/b" });
  const url = "https://a-b.example/c_d.png";
  expect(image(url)).toEqual({ image: url });
});
