import type { Operation, OperationInput } from "../types.ts";
import type { Answer } from "./answer.ts";
import { attempt } from "./attempt.ts";
import { authenticate } from "./authenticate.ts";
import { type Incoming, openCall } from "./call.ts";
import { choose } from "./choose.ts";
import { fail, watchClient } from "./fail.ts";
import { type Gateway, stateOf } from "./gateway.ts";
import { read } from "./read.ts";
import { reserve } from "./reserve.ts";
import { resolve } from "./resolve.ts";
import { stream } from "./stream.ts";
import { whole } from "./whole.ts";

/**
 * The path of every request on a model. Each step names the errors it can end in; whatever is thrown
 * after `reserve` settles the call, whatever is thrown before it is logged as a refusal.
 */
export async function answer<O extends Operation>(
  gateway: Gateway,
  operation: O,
  incoming: Incoming,
): Promise<Answer> {
  const call = openCall(operation, incoming, Date.now());
  try {
    call.caller = authenticate(incoming.headers, gateway.auth); //                        401
    const input = await read(operation, incoming, gateway.options.lenient); //            400 413 415
    call.model = input.model;
    const model = resolve(gateway, input.model); //                                       404
    call.model = model.id;
    call.lease = gateway.admission.admit(call.caller, performance.now(), Date.now()); //  429
    const streams = "stream" in input && input.stream === true;
    await reserve(gateway, call, incoming, streams); //                                   503
    watchClient(gateway, call, incoming.signal);
    const targets = choose(gateway.models.targets(model), (t) => stateOf(gateway, t)); // 503
    const started = attempt(gateway, operation, input, targets, call); //                 400 502 503 504
    return streams
      ? await stream(gateway, call, started, wantsUsage(input))
      : await whole(gateway, call, await started);
  } catch (error) {
    return fail(gateway, call, error);
  }
}

function wantsUsage(input: OperationInput[Operation]): boolean {
  if (!("stream_options" in input)) return false;
  const options = input.stream_options;
  return (
    typeof options === "object" &&
    options !== null &&
    "include_usage" in options &&
    options.include_usage === true
  );
}
