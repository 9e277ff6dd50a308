import { GatewayError } from "../contract/errors.ts";
import { Patience } from "../lib/patience.ts";
import type { AttemptContext, JsonObject, Target } from "../types.ts";
import { type Fields, fieldsOf } from "./fields.ts";
import { readText } from "./read-body.ts";
import type { Upstream } from "./upstream.ts";

/** A list of tokens, or of embeddings, has no more bytes than this. */
const MAX_BYTES = 128 * 1024 * 1024;

/**
 * Posts JSON to a path of a provider, and gives the JSON object of its answer.
 * @throws GatewayError with a fault, for whatever is no answer
 */
export async function ask(
  upstream: Upstream,
  target: Target,
  path: string,
  body: JsonObject,
  context: AttemptContext,
): Promise<Fields> {
  const { id, limits } = upstream.settings;
  const { upstreamId } = target;
  const patience = new Patience(limits.answer, () => {
    const message = `'${id}' did not answer within ${limits.answer / 1000} s.`;
    context.abort(new GatewayError("upstream_timeout", message, { fault: "silent" }));
  });
  try {
    const sent = { path, body: JSON.stringify(body), upstreamId, prefill: false, context };
    const { response, refuse } = await upstream.post(sent);
    const answer = parse(await readText(response, MAX_BYTES));
    if (answer === null) throw unreadable(id);
    if (answer.error !== undefined && answer.error !== null) throw refuse(answer);
    return answer;
  } catch (error) {
    throw upstream.lost(context, error);
  } finally {
    patience.end();
  }
}

function parse(text: string): Fields | null {
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    return null;
  }
}

/** What a provider has no endpoint for, or no form. */
export function cannot(id: string, what: string): GatewayError {
  return new GatewayError("invalid_request", `'${id}' ${what}.`, {
    param: "model",
    fault: "unsupported",
  });
}

export function unreadable(id: string): GatewayError {
  return new GatewayError("upstream_error", `'${id}' answered with nothing that can be read.`, {
    fault: "broken",
  });
}
