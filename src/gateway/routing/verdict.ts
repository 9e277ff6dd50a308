import { GatewayError } from "../../contract/errors.ts";
import { faultOf } from "./retry.ts";

/**
 * What the end of an attempt says about its target: it answered; it is well, but would not have this
 * request; it does not have the model; it failed; it wants to be left alone for so many milliseconds; or nothing.
 */
export type Verdict =
  | "answered"
  | "refused"
  | "missing"
  | "failed"
  | "nothing"
  | { readonly restMs: number };

/**
 * `error` is why the attempt ended; null when it gave a whole answer. An engine of our `own` is never said
 * to have failed: its process ends once for all that it is at, and its host knows when it may be asked
 * again. Pure.
 */
export function verdictOn(error: unknown, own = false): Verdict {
  if (error === null) return "answered";
  // Our own code failed.
  if (!(error instanceof GatewayError)) return "nothing";
  if (error.kind === "model_not_found") return "missing";
  switch (faultOf(error)) {
    case "request":
    case "context":
      return "refused";
    // It may not have been asked at all.
    case "unsupported":
    case "key":
    case "failed":
      return "nothing";
    case "busy":
      // A full queue of an engine of our own says nothing about the next call.
      if (own || error.fault === undefined) return "nothing";
      return error.retryAfter === undefined ? "failed" : { restMs: error.retryAfter * 1000 };
    case "broken":
    case "silent":
      return own ? "nothing" : "failed";
  }
}
