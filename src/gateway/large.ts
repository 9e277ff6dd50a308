import { jsonPieces } from "../lib/json-pieces.ts";
import type { JsonObject } from "../types.ts";
import { account, failureOf } from "./account.ts";
import type { PieceBody } from "./answer.ts";
import type { Call } from "./call.ts";
import { cancel } from "./fail.ts";
import type { Gateway } from "./gateway.ts";

/**
 * A whole answer of many megabytes, as one with an image is. It is written as fast as its reader takes it,
 * and the call is settled with the last piece: whoever does not read keeps the place that it holds.
 */
export class LargeAnswer implements PieceBody {
  readonly #gateway: Gateway;
  readonly #call: Call;
  readonly #pieces: Generator<string, void>;

  constructor(gateway: Gateway, call: Call, json: JsonObject) {
    this.#gateway = gateway;
    this.#call = call;
    this.#pieces = jsonPieces(json);
    call.sending = true;
    // Nothing is computed any more that could say why it ended.
    call.interrupt = (reason) => void account(gateway, call, failureOf(call, reason));
  }

  async next(): Promise<string | null> {
    const { gone } = this.#call;
    if (gone !== null) throw gone;
    const step = this.#pieces.next();
    if (step.done !== true) return step.value;
    await account(this.#gateway, this.#call, {
      status: "completed",
      httpStatus: 200,
      error: null,
    });
    return null;
  }

  cancel(): void {
    cancel(this.#gateway, this.#call);
  }
}
