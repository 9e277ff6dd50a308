import { expect, test } from "bun:test";
import { UpscaleInput } from "../../contract/upscale.ts";
import type { Method } from "./enlarge.ts";
import { idleFields } from "./idle-fields.ts";

const idle = (fields: object, method: Method = "network"): readonly string[] =>
  idleFields(UpscaleInput.parse({ model: "m", image: "x", ...fields }), method);

/** As clients of web UIs send it, whatever they want. */
const SENT_ALWAYS = {
  ...{ resize_mode: 0, upscaling_resize: 2, upscaling_resize_w: 512, upscaling_resize_h: 512 },
  ...{ upscaling_crop: true, upscaler_2: "None", extras_upscaler_2_visibility: 0 },
};

test("a size does nothing where a factor is meant, and a factor where a size is", () => {
  expect(idle({ upscaling_resize_w: 40, upscaling_crop: false })).toEqual([
    "upscaling_resize_w",
    "upscaling_crop",
  ]);
  const size = { resize_mode: 1, upscaling_resize_w: 40, upscaling_resize_h: 30 };
  expect(idle({ ...size, upscaling_crop: false })).toEqual([]);
  expect(idle({ ...size, upscaling_resize: 3 })).toEqual(["upscaling_resize"]);
  expect(idle(SENT_ALWAYS)).toEqual([]);
});

test("an image that is left as it is has no size, and no second upscaler", () => {
  const blend = { upscaler_2: "Lanczos", extras_upscaler_2_visibility: 0.5 };
  expect(idle({ upscaling_resize: 4, ...blend }, "none")).toEqual([
    "upscaling_resize",
    "upscaler_2",
    "extras_upscaler_2_visibility",
  ]);
  expect(idle({ resize_mode: 1, upscaling_resize_h: 30 }, "none")).toEqual([
    "resize_mode",
    "upscaling_resize_h",
  ]);
  expect(idle({ upscaling_resize: 1 }, "none")).toEqual([]);
});

test("a second upscaler takes its name and how much of it is seen", () => {
  expect(idle({ upscaler_2: "Lanczos" })).toEqual(["upscaler_2"]);
  expect(idle({ extras_upscaler_2_visibility: 1 })).toEqual(["extras_upscaler_2_visibility"]);
  expect(idle({ upscaler_2: "Lanczos", extras_upscaler_2_visibility: 0 })).toEqual([]);
  expect(idle({ upscaler_2: "Lanczos", extras_upscaler_2_visibility: 1 })).toEqual([]);
});

test("a PNG has no quality", () => {
  expect(idle({ quality: 80 })).toEqual(["quality"]);
  expect(idle({ quality: 80, format: "webp" })).toEqual([]);
});
