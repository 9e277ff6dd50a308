import type { Operation } from "../types.ts";
import { admit } from "./admit.ts";
import type { Answer } from "./answer.ts";
import { authenticate } from "./authenticate.ts";
import { type Incoming, openCall } from "./call.ts";
import { beginCapture } from "./capture.ts";
import { fail, watchClient } from "./fail.ts";
import type { Gateway } from "./gateway.ts";
import { unknownProviders } from "./known-providers.ts";
import { permitEndpoint } from "./permit.ts";
import { read } from "./read.ts";
import { reserve } from "./reserve.ts";
import { resolveAll } from "./resolve.ts";
import { route } from "./routing/route.ts";
import { stream } from "./stream.ts";
import { permitImages } from "./vision.ts";
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
    permitEndpoint(call.caller, operation); //                                            403
    const asked = await read(operation, incoming, gateway.options.lenient); //            400 413 415
    call.model = asked.input.model;
    const unknown = unknownProviders(gateway, asked.wishes); //                           400
    const { models: names } = asked.wishes;
    const models = resolveAll(gateway, names, call.caller, asked.input, operation); //    403 404
    permitImages(gateway, models, asked.input, call.caller); //                           400
    call.model = models[0].id;
    const request = await admit(gateway, call, operation, asked, models); //              402 403 429 503
    await reserve(gateway, call, incoming, asked.streams); //                             503
    call.capture = beginCapture(gateway, call, asked.input);
    watchClient(gateway, call, incoming.signal);
    for (const name of [...asked.unknownWishes, ...unknown]) call.dropped.add(name);
    const started = route(gateway, call, request); //                                     400 404 502 503 504
    return asked.streams
      ? await stream(gateway, call, request, started, asked.wantsUsage)
      : await whole(gateway, call, await started);
  } catch (error) {
    return fail(gateway, call, error);
  }
}
