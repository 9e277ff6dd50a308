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

/** `error` is why the attempt ended; null when it gave a whole answer. Pure. */
export function verdictOn(error: unknown): Verdict {
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
      return "nothing";
    case "busy":
      // A full queue of an engine of our own says nothing about the next call.
      if (error.fault === undefined) return "nothing";
      return error.retryAfter === undefined ? "failed" : { restMs: error.retryAfter * 1000 };
    case "broken":
    case "silent":
      return "failed";
  }
}
