import type { RefusalRecord } from "../types.ts";

/** Refused calls that were alike, for one journal record. */
export interface RefusalGroup {
  /** Unix milliseconds of the first of them. */
  readonly at: number;
  readonly endpoint: string;
  readonly keyId: string;
  readonly httpStatus: number;
  readonly error: string;
  count: number;
}

/** Distinct kinds kept apart; what comes after shares a group per status and error, of which there are few. */
const MAX_GROUPS = 500;
const OTHER = "(other)";
/** The endpoint, in groups and counters, of every path that is none of ours: strangers don't multiply rows. */
export const UNKNOWN_ENDPOINT = "(unknown)";

/**
 * Decides which refused calls get a record of their own: the first `perWindow` between two drains.
 * The rest is counted per endpoint, status, error and key. Nothing is dropped, and memory is
 * bounded whatever strangers send.
 */
export class Refusals {
  readonly #perWindow: number;
  #alone = 0;
  #groups = new Map<string, RefusalGroup>();

  constructor(perWindow: number) {
    this.#perWindow = perWindow;
  }

  /** True when the call is to be written by itself; otherwise it has been counted. */
  admit(record: RefusalRecord, room: boolean): boolean {
    if (room && this.#alone < this.#perWindow) {
      this.#alone++;
      return true;
    }
    const kind = record.known ? record.endpoint : UNKNOWN_ENDPOINT;
    const named = groupKey(kind, record.keyId, record);
    const full = this.#groups.size >= MAX_GROUPS && !this.#groups.has(named);
    const endpoint = full ? OTHER : kind;
    const keyId = full ? OTHER : record.keyId;
    const key = full ? groupKey(endpoint, keyId, record) : named;
    const group = this.#groups.get(key);
    if (group !== undefined) {
      group.count++;
    } else {
      const { at, httpStatus, error } = record;
      this.#groups.set(key, { at, endpoint, keyId, httpStatus, error, count: 1 });
    }
    return false;
  }

  /** Ends the window: hands over what was counted in it. */
  drain(): RefusalGroup[] {
    this.#alone = 0;
    const groups = [...this.#groups.values()];
    this.#groups.clear();
    return groups;
  }
}

function groupKey(endpoint: string, keyId: string, record: RefusalRecord): string {
  return JSON.stringify([endpoint, keyId, record.httpStatus, record.error]);
}
