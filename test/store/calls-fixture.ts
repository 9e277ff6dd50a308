import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freshMeter } from "../../src/gateway/call.ts";
import type { RefusalRecord, ReserveRecord, SettleRecord } from "../../src/types.ts";

/** A folder of its own that goes away with the test. */
export function tempFolder(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "covey-store-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export const meter = freshMeter;

export function reserveOf(id: string, changes: Partial<ReserveRecord> = {}): ReserveRecord {
  return {
    id,
    at: Date.now(),
    endpoint: "/v1/chat/completions",
    model: "owner/model",
    keyId: "key-1",
    stream: true,
    requestId: null,
    referer: null,
    title: null,
    ...changes,
  };
}

export function settleOf(id: string, changes: Partial<SettleRecord> = {}): SettleRecord {
  return {
    id,
    at: Date.now(),
    status: "completed",
    httpStatus: 200,
    error: null,
    model: null,
    provider: "local",
    finishReason: "stop",
    costNanoUsd: null,
    providerCostNanoUsd: null,
    attempts: [],
    promptTokens: 7,
    completionTokens: 11,
    cachedTokens: 3,
    images: 0,
    pixels: 0,
    usageSource: "counted",
    queueMs: 0.5,
    firstTokenMs: 12.25,
    totalMs: 40,
    droppedParams: [],
    ...changes,
  };
}

export function refusalOf(id: string, changes: Partial<RefusalRecord> = {}): RefusalRecord {
  return {
    id,
    at: Date.now(),
    endpoint: "/v1/chat/completions",
    known: true,
    model: "no/such-model",
    keyId: "anonymous",
    requestId: null,
    httpStatus: 404,
    error: "model_not_found",
    ...changes,
  };
}

/** Resolves when `holds` does; the test's own time-out is the limit. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await Bun.sleep(5);
}
