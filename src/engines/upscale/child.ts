import { checkedFacts } from "../../images/bounds.ts";
import { decode } from "../../images/decode.ts";
import { encode } from "../../images/encode.ts";
import { uprightSize } from "../../images/fit.ts";
import { serve } from "../child-frame.ts";
import { enlarge, type Upscalers } from "./enlarge.ts";
import { foresee, LONG_BYTES, SHORT_BYTES, upscaleBounds } from "./foresee.ts";
import { openNetworks } from "./networks.ts";
import { CannotWrite, refuseFile } from "./plan.ts";
import type { UpscaleAsk, UpscaleEvent, UpscaleSpeech } from "./protocol.ts";
import type { Pause, Raster } from "./raster.ts";
import { upscaleFailure } from "./refusal.ts";
import { Room } from "./room.ts";
import { StepTurns } from "./step-turns.ts";

/** Entry of the process that enlarges images: step by step, those of several requests by turns. */

/** What its requests share. */
interface Shared {
  readonly upscalers: Upscalers;
  readonly turns: StepTurns;
  /** Of images that take much of it. */
  readonly room: Room;
}

serve<UpscaleSpeech>({
  load: async ({ networks, range, threads }) => {
    const upscalers = openNetworks(networks, range, threads);
    const turns = new StepTurns(() => performance.now());
    const shared = { upscalers, turns, room: new Room(LONG_BYTES) };
    return {
      info: { scales: upscalers.scales },
      run: (ask, signal, tell) => upscaled(ask, shared, signal, tell),
    };
  },
});

async function upscaled(
  ask: UpscaleAsk,
  shared: Shared,
  signal: AbortSignal,
  tell: (event: UpscaleEvent) => void,
): Promise<UpscaleEvent> {
  try {
    const size = uprightSize(checkedFacts(ask.image, upscaleBounds(ask.bounds)));
    const { bytes } = foresee(size, ask, shared.upscalers);
    const letGo = bytes > SHORT_BYTES ? await shared.room.take(bytes, signal) : null;
    try {
      return await byTurns(ask, shared, signal, tell);
    } finally {
      letGo?.();
    }
  } catch (error) {
    throw upscaleFailure(error, ask.wish);
  }
}

async function byTurns(
  ask: UpscaleAsk,
  { upscalers, turns }: Shared,
  signal: AbortSignal,
  tell: (event: UpscaleEvent) => void,
): Promise<UpscaleEvent> {
  const { owner, method, blend } = ask;
  tell({ type: "reading" });
  const source = await turns.beside(owner, () => decode(ask.image, upscaleBounds(ask.bounds)));
  const { width, height } = source;
  const { plan } = foresee(source, ask, upscalers);
  const pixels = plan.kept.width * plan.kept.height;
  tell({ type: "progress", done: 0, pixels });
  // What is left as it is has no step to wait for.
  const turn = method === "none" ? null : await turns.take(owner, signal);
  const pause: Pause = async (done) => {
    tell({ type: "progress", done, pixels });
    await turn?.next();
  };
  const enlarged = enlarge(source, plan, method, blend, upscalers, pause);
  const result = await enlarged.finally(() => turn?.end());
  signal.throwIfAborted();
  tell({ type: "writing" });
  const image = await turns.beside(owner, () => written(result, ask));
  return {
    ...{ type: "done", image, width: result.width, height: result.height },
    ...{ from: { width, height }, factor: plan.factor },
  };
}

/** @throws CannotWrite where the type can't have it: the image is good, and would be the next time */
async function written(
  { channels, ...rest }: Raster,
  { type, quality }: UpscaleAsk,
): Promise<Uint8Array<ArrayBuffer>> {
  if (channels === 1) throw new Error("an image without colours");
  const file = await encode({ channels, ...rest }, type, quality).catch((error: unknown) => {
    console.error(error);
    throw new CannotWrite(`the image could not be written as ${type}; ask for another format`);
  });
  refuseFile(file.length, type);
  return file;
}
