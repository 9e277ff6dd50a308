import { type ErrorName, GatewayError } from "../../contract/errors.ts";
import { GuideError } from "../guided/guide-error.ts";
import { SpecError } from "../guided/spec-error.ts";

/** What is told of a request that failed. */
export interface Fault {
  readonly kind: ErrorName;
  readonly message: string;
  readonly param: string | null;
}

/**
 * Our own words, and a guide's, are the caller's to hear; of anything else the log has the reason. What
 * a guide can't do is the request's fault: asked again it would fail again, here and anywhere.
 */
export function faultOf(error: unknown): Fault {
  if (error instanceof GatewayError) {
    const { kind, message, param } = error;
    return { kind, message, param };
  }
  if (error instanceof GuideError || error instanceof SpecError)
    return { kind: "invalid_request", message: error.message, param: null };
  console.error(error);
  const message = "The model's engine failed on this request.";
  return { kind: "upstream_error", message, param: null };
}
