import { OPENROUTER_BASES } from "../../contract/openrouter.ts";
import { PLAYGROUND } from "../../contract/playground.ts";
import { UPSCALE } from "../../contract/upscale.ts";
import { openAiVoice, type Voice } from "./voice.ts";
import { imageVoice, webUiVoice } from "./voice-images.ts";
import { openRouterVoice } from "./voice-openrouter.ts";
import { pictureVoice, playgroundVoice } from "./voice-playground.ts";

/** The path says in which dialect its caller is answered, errors and unknown endpoints included. */
export function voiceOf(path: string): Voice {
  const isOpenRouter = OPENROUTER_BASES.some(
    (base) => path === base || path.startsWith(`${base}/`),
  );
  if (isOpenRouter) return openRouterVoice;
  if (path === PLAYGROUND.vision.path || path === PLAYGROUND.ocr.path) return pictureVoice;
  if (path === UPSCALE.upscale.path) return imageVoice;
  if (path.startsWith("/sdapi/")) return webUiVoice;
  return path.startsWith("/api/") ? playgroundVoice : openAiVoice;
}
