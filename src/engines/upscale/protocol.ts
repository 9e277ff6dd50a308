import type { ImageBounds } from "../../images/bounds.ts";
import type { EncodedType } from "../../images/encode.ts";
import type { Blend, Method } from "./enlarge.ts";
import type { NetworkFiles } from "./network-files.ts";
import type { Wish } from "./plan.ts";

/** What the gateway and the child that enlarges images say to each other. */
export interface UpscaleSpeech {
  readonly load: {
    readonly networks: readonly NetworkFiles[];
    /** What white is in the networks' numbers. */
    readonly range: 1 | 255;
    readonly threads: number;
  };
  readonly info: { readonly scales: readonly number[] };
  readonly ask: UpscaleAsk;
  readonly event: UpscaleEvent;
}

export interface UpscaleAsk {
  /** Whose it is: owners take turns. */
  readonly owner: string;
  readonly bounds: ImageBounds;
  /** The file as it came. */
  readonly image: Uint8Array<ArrayBuffer>;
  readonly wish: Wish;
  readonly method: Method;
  readonly blend: Blend | null;
  readonly type: EncodedType;
  /** 1 to 100, of JPEG and WebP. */
  readonly quality: number;
}

export type UpscaleEvent =
  /** The file that came is being read, or the one that goes out written: nothing is told until that is done. */
  | { readonly type: "reading" | "writing" }
  /** `done`: 0 to 1; `pixels`: of the image that is made. */
  | { readonly type: "progress"; readonly done: number; readonly pixels: number }
  | {
      readonly type: "done";
      /** The file. */
      readonly image: Uint8Array<ArrayBuffer>;
      readonly width: number;
      readonly height: number;
      /** Of the image that came in, upright. */
      readonly from: { readonly width: number; readonly height: number };
      readonly factor: number;
    };
