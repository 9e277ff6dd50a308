import type { ImageBounds } from "../../images/bounds.ts";
import type { Speech } from "../kind.ts";
import type { OcrFiles } from "./networks.ts";
import type { Line } from "./read-page.ts";

export interface AskedImage {
  /** As it came: PNG, JPEG, GIF or WebP. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Its place in the request. */
  readonly param: string;
}

/** What is told of a request's images, in their order. */
export type OcrEvent =
  /** An image is decoded; the lines that follow, where it is to be read, are its. Sizes are in its pixels, once it is upright. */
  | { readonly type: "image"; readonly width: number; readonly height: number }
  | { readonly type: "line"; readonly line: Line }
  | { readonly type: "done" };

/** What the gateway and the process that reads images say to each other. */
export interface OcrSpeech extends Speech {
  readonly load: { readonly files: OcrFiles; readonly threads: number };
  readonly info: Readonly<Record<never, never>>;
  readonly ask: {
    /** `check` only decodes them: what can't be is refused before anything is read. */
    readonly what: "check" | "read";
    readonly images: readonly AskedImage[];
    readonly bounds: ImageBounds;
  };
  readonly event: OcrEvent;
}
