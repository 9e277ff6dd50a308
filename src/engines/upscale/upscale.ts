import { type UpscaleInfo, UpscaleInput } from "../../contract/upscale.ts";
import { checkedFacts, type ImageBounds } from "../../images/bounds.ts";
import { uprightSize } from "../../images/fit.ts";
import { badImage } from "../../images/refusal.ts";
import { base64Of } from "../../lib/base64-slices.ts";
import type { AttemptContext, Meter, Reply } from "../../types.ts";
import { askModel } from "../ask-model.ts";
import { inCodecTime } from "../codec-limit.ts";
import { holdBytes } from "../held-bytes.ts";
import type { ModelPool } from "../pool.ts";
import { foresee, upscaleBounds } from "./foresee.ts";
import { idleFields } from "./idle-fields.ts";
import type { PooledUpscaler } from "./kind.ts";
import { networksIn } from "./network-files.ts";
import type { UpscaleAsk, UpscaleEvent } from "./protocol.ts";
import { upscaleFailure } from "./refusal.ts";
import { type Asked, askedOf } from "./request.ts";

/** Milliseconds that the file which came may take to be read, and that which goes out to be written. */
const [READ_MS, WRITE_MS] = [30_000, 120_000];

type Done = Extract<UpscaleEvent, { type: "done" }>;

/** Has an image enlarged. The body is `image` (base64), `info` and `parameters`: dialects make theirs of it. */
export async function upscale(
  pool: ModelPool,
  pooled: PooledUpscaler,
  input: UpscaleInput,
  context: AttemptContext,
  bounds: ImageBounds,
): Promise<Reply> {
  for (const name of unknownTo(input)) context.dropped.add(name);
  // In base64, and as the file that it is.
  const letGo = holdBytes(pooled, Math.ceil(input.image.length * 1.75));
  try {
    const asked = askedOf(input, pooled.model.file.upscale?.names ?? {});
    for (const name of idleFields(input, asked.ask.method)) context.dropped.add(name);
    const ask = { ...asked.ask, owner: context.keyId, bounds };
    const done = await enlarged(pool, pooled, ask, context);
    return await replyOf(pooled.model.id, input, asked, done);
  } finally {
    letGo();
  }
}

async function enlarged(
  pool: ModelPool,
  pooled: PooledUpscaler,
  ask: UpscaleAsk,
  context: AttemptContext,
): Promise<Done> {
  const { meter } = context;
  const long = takesLong(pooled, ask);
  const last = await inCodecTime(
    context.signal,
    (signal, limit) =>
      askModel(
        pool,
        pooled,
        () => ask,
        { ...context, signal, long },
        (event) => {
          limit.end();
          if (event.type === "reading") limit.begin(READ_MS);
          if (event.type === "writing") limit.begin(WRITE_MS);
          if (event.type === "progress") underWay(meter, event.done, event.pixels);
        },
      ),
    (cause) => badImage("image", "its file takes too long to read or to write", cause),
  );
  if (last.type !== "done") throw new Error("an image was lost");
  meter.source = "counted";
  meter.images = 1;
  meter.pixels = last.width * last.height;
  return last;
}

/**
 * Whether it waits where no short one does.
 * @throws GatewayError 400 for what can't be done, before it waits for anything
 */
function takesLong({ model }: PooledUpscaler, ask: UpscaleAsk): boolean {
  const networks = networksIn(model.file);
  // A model without networks can't be loaded: that is told by its loading.
  if (networks.scales.length === 0) return false;
  try {
    const size = uprightSize(checkedFacts(ask.image, upscaleBounds(ask.bounds)));
    return foresee(size, ask, networks).isLong;
  } catch (error) {
    throw upscaleFailure(error, ask.wish);
  }
}

/** Whoever leaves from now on has used this much; nothing as long as nothing is done. */
function underWay(meter: Meter, done: number, pixels: number): void {
  meter.progress = done;
  if (done === 0) return;
  meter.source = "counted";
  meter.images = 1;
  meter.pixels = Math.round(done * pixels);
}

async function replyOf(
  model: string,
  input: UpscaleInput,
  { upscaler, format }: Asked,
  { width, height, factor, from, image }: Done,
): Promise<Reply> {
  const info: UpscaleInfo = {
    ...{ upscaler, scale_factor: Math.round(factor * 1000) / 1000, width, height },
    ...{ model, format, source_width: from.width, source_height: from.height },
  };
  const { image: _, model: __, ...parameters } = input;
  return { kind: "json", body: { image: await base64Of(image), info, parameters }, usage: null };
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
