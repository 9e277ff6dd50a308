import type { AttemptRecord, RefusalRecord, SettleRecord } from "../types.ts";
import type { Call } from "./call.ts";

/** Who watches calls as they end: metrics, log lines. On the path of every call: never throws, never waits. */
export interface Observer {
  /** `failure` is why the attempt ended; null when it answered. */
  attempted(call: Call, record: AttemptRecord, failure: unknown): void;
  settled(call: Call, record: SettleRecord): void;
  refused(record: RefusalRecord): void;
}

export function allOf(observers: readonly Observer[]): Observer {
  return {
    attempted: (call, record, failure) => {
      for (const each of observers) each.attempted(call, record, failure);
    },
    settled: (call, record) => {
      for (const each of observers) each.settled(call, record);
    },
    refused: (record) => {
      for (const each of observers) each.refused(record);
    },
  };
}
