import type { ErrorName } from "../contract/errors.ts";
import type { Speech } from "./kind.ts";

/** What a host and its child process say to each other, whatever the engine. Requests carry an id of the host's. */

export type ToChild<S extends Speech> =
  | { readonly type: "load"; readonly options: S["load"] }
  /** To be answered with a pong at once. */
  | { readonly type: "ping" }
  | { readonly type: "ask"; readonly id: number; readonly ask: S["ask"] }
  | { readonly type: "cancel"; readonly id: number };

export type FromChild<S extends Speech> =
  | { readonly type: "pong" }
  /** More of the model is loaded. */
  | { readonly type: "progress" }
  | { readonly type: "ready"; readonly info: S["info"] }
  /** It could not be loaded. */
  | { readonly type: "failed"; readonly message: string }
  /** Nothing is done any more for a request that was cancelled. Comes for each cancellation, once. */
  | { readonly type: "settled"; readonly id: number }
  /** All that one step of the engine brought forth, for all running requests. */
  | { readonly type: "events"; readonly events: readonly Told<S["event"]>[] };

/** An event with the id of its request. */
export type Told<Event> = (Event & { readonly id: number }) | FailedEvent;

/** The end of a request that failed, and of nothing else. */
export interface FailedEvent {
  readonly type: "error";
  readonly id: number;
  readonly kind: ErrorName;
  readonly message: string;
  readonly param: string | null;
}

export function isFailed(event: { readonly type: string }): event is FailedEvent {
  return event.type === "error";
}
