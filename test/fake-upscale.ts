import { decode } from "../src/images/decode.ts";
import { type EncodedType, encode } from "../src/images/encode.ts";
import type { Outcome } from "./fake-behaviour.ts";
import type { Dialect } from "./fake-styles.ts";

/**
 * Upscaling as Arli AI and the Stable Diffusion web UIs have it: a real image, made larger by repeating its
 * pixels. What goes wrong is named by the upscaler:
 *
 *   status-<code>_4x    that status, with that server's own body
 *   slow-<ms>_4x        after so many milliseconds
 *   silent_4x           nothing is ever said
 *   truncated_4x        half the image; halfbase64_4x: half the base64, and one character more
 *   page_4x             200 and an HTML page
 *   text_4x             text instead of an image; none_4x: no image at all
 *   jpeg_4x, webp_4x, gif_4x   in that format
 *   uri_4x              as a data URI with line breaks
 *   arlifails_4x        500 at Arli AI, an image elsewhere
 *   once-<code>_4x      that status at the first request, the image after that
 */
export const ARLI_UPSCALERS: readonly string[] = ["ESRGAN_4x", "Remacri_4x"];
export const WEB_UPSCALERS: readonly string[] = [
  ...["None", "Lanczos", "Nearest", "ESRGAN_4x", "LDSR", "R-ESRGAN 4x+", "R-ESRGAN 2x+"],
];

const PATHS: Partial<Record<Dialect, readonly [upscale: string, list: string]>> = {
  arli: ["/v1/upscale-img", "/v1/upscalers"],
  sdwebui: ["/sdapi/v1/extra-single-image", "/sdapi/v1/upscalers"],
};

/** Whether this is where the dialect enlarges images. */
export function isUpscaling(dialect: Dialect, path: string): boolean {
  return PATHS[dialect]?.[0] === path;
}

/** The list of upscalers; null at any other path. */
export function upscalerListing(
  dialect: Dialect,
  path: string,
  more: readonly string[],
): object | null {
  if (PATHS[dialect]?.[1] !== path) return null;
  const names = [...(dialect === "arli" ? ARLI_UPSCALERS : WEB_UPSCALERS), ...more];
  return names.map((name) => ({
    name,
    model_name: name === "None" ? null : name,
    model_path: null,
    model_url: null,
    scale: name === "R-ESRGAN 2x+" ? 2 : 4,
  }));
}

export async function upscaled(
  dialect: Dialect,
  body: Record<string, unknown>,
  known: readonly string[],
  nth: number,
): Promise<Outcome> {
  const name = String(body.upscaler_1 ?? (dialect === "arli" ? "ESRGAN_4x" : "None"));
  const all = [...(dialect === "arli" ? ARLI_UPSCALERS : WEB_UPSCALERS), ...known];
  if (!all.includes(name)) return failing(dialect, 500, `could not find upscaler named ${name}`);
  const [, fault = "", number = ""] = /^([a-z0-9]+?)(?:-(\d+))?_4x$/.exec(name) ?? [];
  const wait = fault === "slow" ? Number(number) : 0;
  if (fault === "status" || (fault === "once" && nth === 1))
    return failing(dialect, Number(number), "CUDA out of memory");
  if (fault === "arlifails" && dialect === "arli") return failing(dialect, 500, "out of memory");
  if (fault === "silent") return "silence";
  if (fault === "page") return html();
  await Bun.sleep(wait);
  const made = await larger(String(body.image), factorOf(dialect, name, body), typeOf(fault));
  return json(shape(dialect, name, spoilt(fault, made)));
}

function spoilt(fault: string, file: Uint8Array): string | null {
  const base64 = file.toBase64();
  if (fault === "truncated") return file.subarray(0, file.length / 2).toBase64();
  if (fault === "halfbase64") return `${base64.slice(0, (base64.length >> 3) * 4)}?`;
  if (fault === "text") return Buffer.from("no image").toString("base64");
  if (fault === "gif") return "R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=";
  if (fault === "uri") return `data:image/png;base64,${base64.replace(/.{76}/g, "$&\n")}`;
  return fault === "none" ? null : base64;
}

function shape(dialect: Dialect, name: string, image: string | null): object {
  if (dialect === "arli")
    return { images: image === null ? [] : [image], info: { upscaler: name, scale_factor: 4 } };
  return { html_info: `<p>Upscale: 4, visibility: 1.0, model:${name}</p>`, image };
}

function factorOf(dialect: Dialect, name: string, body: Record<string, unknown>): number {
  if (dialect === "arli") return 4;
  if (name === "None") return 1;
  return typeof body.upscaling_resize === "number" ? body.upscaling_resize : 2;
}

function typeOf(fault: string): EncodedType {
  return fault === "jpeg" ? "image/jpeg" : fault === "webp" ? "image/webp" : "image/png";
}

async function larger(image: string, factor: number, type: EncodedType): Promise<Uint8Array> {
  const { width, height, channels, pixels } = await decode(Uint8Array.fromBase64(image));
  const wide = Math.round(width * factor);
  const high = Math.round(height * factor);
  const made = new Uint8Array(wide * high * channels);
  for (let y = 0; y < high; y++)
    for (let x = 0; x < wide; x++) {
      const from = (Math.floor(y / factor) * width + Math.floor(x / factor)) * channels;
      made.set(pixels.subarray(from, from + channels), (y * wide + x) * channels);
    }
  return encode({ width: wide, height: high, channels, pixels: made }, type);
}

/** A1111's handler of exceptions (modules/api/api.py); Arli's errors are Aphrodite's. */
function failing(dialect: Dialect, status: number, message: string): Outcome {
  const body =
    dialect === "arli"
      ? { object: "error", message, type: "InternalServerError", param: null, code: status }
      : status === 404
        ? { detail: "Not Found" }
        : { error: "RuntimeError", detail: "", body: "", errors: message };
  return { ...json(body), status };
}

const json = (body: object) => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

const html = (): Outcome => ({
  status: 200,
  headers: { "content-type": "text/html" },
  body: "<!doctype html><html><body>Bad gateway</body></html>",
});
