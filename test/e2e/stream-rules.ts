import { expect } from "bun:test";
import { oracle } from "../oracle.ts";
import type { Chunk, StreamRead } from "./wire.ts";

/** The contract's rules for every stream, held against one that was read to its end. */

const chatChunk = oracle("CreateChatCompletionStreamResponse");
const completion = oracle("CreateCompletionResponse");

export interface Asked {
  readonly usage: boolean;
  /** How many choices there must be. */
  readonly choices?: number;
}

export function expectChatRules(read: StreamRead, asked: Asked): void {
  for (const chunk of read.chunks) chatChunk(chunk);
  expectRules(read, asked);
  for (const [index, pieces] of byChoice(read.chunks)) {
    const roles = pieces.map((piece) => piece.delta?.role);
    expect([index, roles]).toEqual([index, ["assistant", ...roles.slice(1).fill(undefined)]]);
  }
}

export function expectCompletionRules(read: StreamRead, asked: Asked): void {
  // OpenAI's schema has no null finish reason, but its streams do: all but a choice's last are null.
  for (const chunk of read.chunks) {
    const choices = chunk.choices.map((choice) => ({
      ...choice,
      finish_reason: choice.finish_reason ?? "stop",
    }));
    completion({ ...chunk, choices });
  }
  expectRules(read, asked);
}

function expectRules({ chunks, done }: StreamRead, asked: Asked): void {
  expect(done).toBe(true);
  const last = chunks.at(-1);
  const withUsage = chunks.filter((chunk) => "usage" in chunk);
  expect(withUsage).toEqual(asked.usage && last !== undefined ? [last] : []);
  const empty = chunks.filter(({ choices }) => choices.length === 0);
  expect(empty).toEqual(withUsage);
  // Id, object, time and model are the same on all; a fingerprint is a string or not there.
  const stamps = chunks.map((chunk) => JSON.stringify({ ...chunk, choices: 0, usage: 0 }));
  expect(new Set(stamps).size).toBe(1);
  expect(stamps[0]).not.toContain("null");
  const choices = byChoice(chunks);
  expect(choices.size).toBe(asked.choices ?? 1);
  for (const pieces of choices.values()) {
    const reasons = pieces.map((piece) => piece.finish_reason);
    expect(reasons.slice(0, -1)).toEqual(reasons.slice(0, -1).fill(null));
    expect(typeof reasons.at(-1)).toBe("string");
  }
}

function byChoice(chunks: readonly Chunk[]): Map<number, Chunk["choices"][number][]> {
  const choices = new Map<number, Chunk["choices"][number][]>();
  for (const piece of chunks.flatMap((chunk) => chunk.choices)) {
    choices.set(piece.index, [...(choices.get(piece.index) ?? []), piece]);
  }
  return choices;
}
