import type { Meter, UsageSource } from "../types.ts";

/**
 * What a call has used, over all attempts that gave the caller something. The attempt that runs
 * counts for itself; what an earlier one sent counts as tokens of the answer:
 *
 * - a restart makes the whole answer anew, so that its own count is the whole count;
 * - a continuation was sent the beginning as part of its prompt, so that those tokens move from the
 *   prompt to the answer, and the sum is what the upstream counted.
 */
export class CallMeter implements Readonly<Meter> {
  #current: Meter | null = null;
  #how: "whole" | "rest" = "whole";
  /** Tokens of the answer that were sent before the running attempt began. */
  #sent = 0;
  #resumed = false;
  #startedAt = 0;
  #firstTokenAt = 0;

  /** From now on this attempt counts; what came before it is forgotten. */
  begin(meter: Meter): void {
    this.#current = meter;
    this.#how = "whole";
    this.#resumed = false;
  }

  /** The attempt makes the whole answer anew, of which so many tokens were sent. */
  restart(meter: Meter, sentTokens: number): void {
    this.#keepTimes();
    this.#sent = sentTokens;
    this.#how = "whole";
    this.#current = meter;
  }

  /** The attempt goes on after so many tokens. */
  resume(meter: Meter, sentTokens: number): void {
    this.#keepTimes();
    this.#sent = sentTokens;
    this.#how = "rest";
    this.#current = meter;
  }

  get promptTokens(): number {
    const prompt = this.#current?.promptTokens ?? 0;
    return this.#how === "rest" ? Math.max(0, prompt - this.#sent) : prompt;
  }

  get completionTokens(): number {
    const completion = this.#current?.completionTokens ?? 0;
    if (this.#how === "rest") return this.#sent + completion;
    return this.source === "upstream" ? completion : Math.max(this.#sent, completion);
  }

  get cachedTokens(): number {
    return Math.min(this.#current?.cachedTokens ?? 0, this.promptTokens);
  }

  get images(): number {
    return this.#current?.images ?? 0;
  }

  get imagesRead(): number {
    return this.#current?.imagesRead ?? 0;
  }

  get pixels(): number {
    return this.#current?.pixels ?? 0;
  }

  get progress(): number | null {
    return this.#current?.progress ?? null;
  }

  get source(): UsageSource {
    return this.#current?.source ?? "none";
  }

  get unseen(): boolean {
    return this.#current?.unseen ?? false;
  }

  get startedAt(): number {
    return this.#startedAt || (this.#current?.startedAt ?? 0);
  }

  get firstTokenAt(): number {
    return this.#firstTokenAt || (this.#current?.firstTokenAt ?? 0);
  }

  /** What the attempt that counts says it was charged: all of it, unless `resumed`. */
  get providerCost(): number | null {
    return this.#current?.providerCost ?? null;
  }

  /** Whether an earlier attempt made a part of the answer. */
  get resumed(): boolean {
    return this.#resumed;
  }

  get malformedEvents(): number {
    return this.#current?.malformedEvents ?? 0;
  }

  #keepTimes(): void {
    this.#resumed = true;
    this.#startedAt = this.startedAt;
    this.#firstTokenAt = this.firstTokenAt;
  }
}
