import { type Flaw, flawOf, type GuideCheck } from "./check.ts";

/** Entry of the thread that tries what takes more than some milliseconds: one after the other. */
declare const self: Worker;

/** A check as JSON, which crosses quicker than its objects. */
export interface ToCheck {
  readonly seq: number;
  readonly check: string;
}

/** `flaw` is undefined where the check itself failed. */
export interface Checked {
  readonly seq: number;
  readonly flaw: Flaw | null | undefined;
}

self.onmessage = ({ data: { seq, check } }: MessageEvent<ToCheck>) => {
  const tell = (flaw: Checked["flaw"]) => self.postMessage({ seq, flaw } satisfies Checked);
  try {
    const read: GuideCheck = JSON.parse(check);
    tell(flawOf(read));
  } catch (error) {
    console.error(error);
    tell(undefined);
  }
};
