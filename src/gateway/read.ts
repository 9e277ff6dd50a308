import { ChatRequest } from "../contract/chat.ts";
import { CompletionRequest } from "../contract/completions.ts";
import { DetokenizeRequest, TokenizeRequest } from "../contract/tokenize.ts";
import { parseRequest } from "../contract/validate.ts";
import type { Operation, OperationInput } from "../types.ts";
import type { Incoming } from "./call.ts";

type Reader<O extends Operation> = (body: unknown, lenient: boolean) => OperationInput[O];

const READERS: { readonly [O in Operation]: Reader<O> } = {
  chat: (body, lenient) => parseRequest(ChatRequest, body, { lenient }),
  completions: (body, lenient) => parseRequest(CompletionRequest, body, { lenient }),
  tokenize: (body, lenient) => parseRequest(TokenizeRequest, body, { lenient }),
  detokenize: (body, lenient) => parseRequest(DetokenizeRequest, body, { lenient }),
};

/** The validated request. @throws GatewayError 400, 413, 415 */
export async function read<O extends Operation>(
  operation: O,
  incoming: Incoming,
  lenient: boolean,
): Promise<OperationInput[O]> {
  return READERS[operation](await incoming.body(), lenient);
}
