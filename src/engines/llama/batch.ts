import type { LlamaContext, LlamaContextSequence } from "node-llama-cpp";
import type { ChildEvent } from "../protocol.ts";
import { faultOf } from "./fault.ts";
import type { Generation, Step } from "./generate.ts";
import { PrefillPace } from "./prefill-pace.ts";
import { prefillShares } from "./prefill-shares.ts";
import { chooseSlot, type Reuse } from "./slots.ts";

interface Slot {
  readonly sequence: LlamaContextSequence;
  /** Whose text the sequence holds. */
  owner: string | null;
  /** Tokens from its beginning that were evaluated as a reproducible prompt. */
  reproducible: number;
  lastUsed: number;
  running: Running | null;
}

interface Running {
  readonly id: number;
  readonly generation: Generation;
  /** Only answers of one owner have each other's state. */
  readonly owner: string;
  cancelled: boolean;
}

/**
 * The most answers in one batch for which each comes out as it would alone: llama.cpp's CPU kernels
 * take another way from four on, and the last bits differ.
 */
const REPRODUCIBLE_BATCH = 3;

/**
 * Runs all answers of one model in lock step: in each step every answer gets one token, all in one
 * batch, and then prompts get a chunk evaluated. Prompts take turns chunk by chunk; short ones go
 * together. What a step brought forth is emitted at once, in one message.
 */
export class BatchLoop {
  readonly #slots: Slot[];
  readonly #waiting: Running[] = [];
  /** Slots with a prompt to evaluate; the first one is next. */
  readonly #prefills: Slot[] = [];
  readonly #pace: PrefillPace;
  readonly #emit: (events: readonly ChildEvent[]) => void;
  readonly #broken: (error: unknown) => void;
  #events: ChildEvent[] = [];
  #looping = false;

  /** `broken` is told when no answer can be made any more. */
  constructor(
    context: LlamaContext,
    emit: (events: readonly ChildEvent[]) => void,
    broken: (error: unknown) => void,
  ) {
    this.#slots = Array.from({ length: context.totalSequences }, () => ({
      sequence: context.getSequence(),
      owner: null,
      reproducible: 0,
      lastUsed: 0,
      running: null,
    }));
    this.#pace = new PrefillPace(context.batchSize);
    this.#emit = emit;
    this.#broken = broken;
  }

  add(id: number, generation: Generation, owner: string): void {
    this.#waiting.push({ id, generation, owner, cancelled: false });
    if (this.#looping) return;
    this.#looping = true;
    this.#loop().catch(this.#broken);
  }

  /** Takes effect at the next step; nothing more is emitted for the answer. */
  cancel(id: number): void {
    const waiting = this.#waiting.findIndex((running) => running.id === id);
    if (waiting !== -1) this.#waiting.splice(waiting, 1);
    for (const { running } of this.#slots) if (running?.id === id) running.cancelled = true;
  }

  async #loop(): Promise<void> {
    do await this.#step();
    while (this.#waiting.length > 0 || this.#slots.some((slot) => slot.running !== null));
    this.#looping = false;
  }

  async #step(): Promise<void> {
    for (const slot of this.#slots) if (slot.running?.cancelled) await this.#free(slot);
    await this.#admit();
    this.#flush();
    await this.#decode();
    this.#flush();
    await this.#prefill();
    this.#flush();
  }

  /** One more token for every answer whose prompt is done. */
  async #decode(): Promise<void> {
    const decoding = this.#slots.filter(({ running }) => running && !running.generation.prefilling);
    const exact = decoding.filter(({ running }) => running?.generation.reproducible);
    const batches = [decoding.filter((slot) => !exact.includes(slot))];
    for (let from = 0; from < exact.length; from += REPRODUCIBLE_BATCH)
      batches.push(exact.slice(from, from + REPRODUCIBLE_BATCH));
    for (const batch of batches)
      await Promise.all(batch.map((slot) => this.#run(slot, (generation) => generation.decode())));
  }

  /**
   * A chunk of the prompt whose turn it is, and of the next ones where they fit beside it. Tokens of other
   * answers beside them would gain nothing: llama.cpp computes sequences together only as far as all have
   * as many tokens.
   */
  async #prefill(): Promise<void> {
    const line = this.#prefills.flatMap(({ running }) => running?.generation ?? []);
    const waited = this.#slots.some(({ running }) => running?.generation.prefilling === false);
    const shares = prefillShares(
      line.map(({ unread, reproducible }) => ({ left: unread, apart: reproducible })),
      this.#pace.chunk(waited),
    );
    const turn = this.#prefills.splice(0, shares.length);
    const before = evaluatedBy(turn);
    const began = performance.now();
    const work = turn.map((slot, index) =>
      this.#run(slot, (generation) => generation.prefill(slot.sequence, shares[index] ?? 0)),
    );
    await Promise.all(work);
    this.#pace.observe(evaluatedBy(turn) - before, performance.now() - began);
    this.#prefills.push(...turn.filter(({ running }) => running?.generation.prefilling === true));
  }

  /** Gives waiting answers a free slot each. */
  async #admit(): Promise<void> {
    while (this.#waiting.length > 0) {
      const free = this.#slots.filter((slot) => slot.running === null);
      const [next] = this.#waiting;
      if (next === undefined || free.length === 0) return;
      const { prompt, promptTokens, thinking, formAtOnce } = next.generation;
      const held = free.map(({ sequence, owner, reproducible, lastUsed }) => {
        return { tokens: sequence.contextTokens, owner, reproducible, lastUsed };
      });
      const wish = { tokens: prompt, owner: next.owner, reuse: reuseFor(next.generation, free) };
      const choice = chooseSlot(held, wish);
      const slot = choice === null ? undefined : free[choice.index];
      if (choice === null || slot === undefined) return;
      this.#waiting.shift();
      slot.running = next;
      slot.owner = next.owner;
      const keep = await keepPrefix(slot.sequence, choice.keep);
      slot.reproducible = Math.min(slot.reproducible, keep);
      next.generation.begin(keep);
      this.#prefills.push(slot);
      this.#events.push({
        type: "started",
        id: next.id,
        promptTokens,
        cachedTokens: keep,
        thinking,
        formAtOnce,
      });
    }
  }

  async #run(slot: Slot, work: (generation: Generation) => Promise<Step | null>): Promise<void> {
    const { running } = slot;
    if (running === null) return;
    const { id, generation } = running;
    try {
      const step = await work(generation);
      if (step === null || running.cancelled) return;
      const { echo, ...rest } = step;
      if (echo !== null) this.#events.push({ type: "prompt", id, ...echo });
      const { finish, ...said } = rest;
      this.#events.push(
        finish === null ? { type: "delta", id, ...said } : { type: "done", id, finish, ...said },
      );
      if (finish !== null) await this.#free(slot);
    } catch (error) {
      this.#events.push({ type: "error", id, ...faultOf(error) });
      await this.#free(slot);
      await slot.sequence.clearHistory();
      slot.reproducible = 0;
    }
  }

  async #free(slot: Slot): Promise<void> {
    const { running } = slot;
    slot.running = null;
    slot.lastUsed = performance.now();
    slot.reproducible = Math.max(slot.reproducible, running?.generation.reproducibleTokens ?? 0);
    const turn = this.#prefills.indexOf(slot);
    if (turn !== -1) this.#prefills.splice(turn, 1);
    await running?.generation.end();
  }

  #flush(): void {
    if (this.#events.length === 0) return;
    const events = this.#events;
    this.#events = [];
    this.#emit(events);
  }
}

/** A state that can't be cut has no groups to go on from: none of it is worth its slot to a reproducible prompt. */
function reuseFor({ reuse }: Generation, [slot]: readonly Slot[]): Reuse {
  return reuse === "reproducible" && slot?.sequence.needsCheckpoints === true ? "none" : reuse;
}

/** Tokens that are in the slots' sequences. */
function evaluatedBy(slots: readonly Slot[]): number {
  return slots.reduce((sum, { sequence }) => sum + sequence.nextTokenIndex, 0);
}

/** Leaves the first `keep` tokens in the sequence, or none where a state can't be cut. */
async function keepPrefix(sequence: LlamaContextSequence, keep: number): Promise<number> {
  const end = sequence.nextTokenIndex;
  const kept = sequence.needsCheckpoints && keep < end ? 0 : keep;
  if (kept < end) await sequence.eraseContextTokenRanges([{ start: kept, end }]);
  return kept;
}
