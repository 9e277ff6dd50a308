import { type UpscaleInfo, UpscaleInput } from "../../contract/upscale.ts";
import type { AttemptContext, Reply } from "../../types.ts";
import { askModel } from "../ask-model.ts";
import { holdBytes } from "../held-bytes.ts";
import type { ModelPool } from "../pool.ts";
import type { PooledUpscaler } from "./kind.ts";
import { askedOf } from "./request.ts";

/** Has an image enlarged. The body is `image` (base64), `info` and `parameters`: dialects make theirs of it. */
export async function upscale(
  pool: ModelPool,
  pooled: PooledUpscaler,
  input: UpscaleInput,
  context: AttemptContext,
): Promise<Reply> {
  const { meter } = context;
  const { id, file } = pooled.model;
  const { ask, upscaler, format } = askedOf(input, file.upscale?.names ?? {});
  for (const name of unknownTo(input)) context.dropped.add(name);
  const letGo = holdBytes(pooled, input.image.length + ask.image.length);
  const last = await askModel(
    pool,
    pooled,
    () => ask,
    context,
    (event) => {
      if (event.type !== "progress") return;
      meter.progress = event.done;
      if (event.done === 0) return;
      // Whoever leaves from now on has used this much.
      meter.source = "counted";
      meter.images = 1;
      meter.pixels = Math.round(event.done * event.pixels);
    },
  ).finally(letGo);
  if (last.type !== "done") throw new Error("an image was lost");
  const { width, height, factor, image } = last;
  meter.source = "counted";
  meter.images = 1;
  meter.pixels = width * height;
  const info: UpscaleInfo = {
    ...{ upscaler, scale_factor: Math.round(factor * 1000) / 1000, width, height },
    ...{ model: id, format, source_width: last.from.width, source_height: last.from.height },
  };
  const { image: _, model: __, ...parameters } = input;
  const { buffer, byteOffset, byteLength } = image;
  const base64 = Buffer.from(buffer, byteOffset, byteLength).toString("base64");
  return { kind: "json", body: { image: base64, info, parameters }, usage: null };
}

/** What is for the gateway, or for nobody. */
const OTHERS: ReadonlySet<string> = new Set(["user", "metadata"]);

/** Fields that do nothing here. */
function unknownTo(input: UpscaleInput): readonly string[] {
  return Object.entries(input)
    .filter(([name, value]) => value !== null && value !== undefined && !OTHERS.has(name))
    .filter(([name]) => !(name in UpscaleInput.shape))
    .map(([name]) => name);
}
