import { GatewayError } from "../contract/errors.ts";

/** 503 that trying again doesn't help: `why` says what the model needs and what to change. */
export function tooBig(model: string, why: string): GatewayError {
  return new GatewayError("model_too_big", `The model '${model}' can't answer here: ${why}.`, {
    param: "model",
  });
}
