import { GatewayError } from "../../contract/errors.ts";
import { machineOf } from "./guide.ts";
import { GuideError } from "./guide-error.ts";
import type { GuideSpec } from "./spec.ts";
import { joinPath, SpecError } from "./spec-error.ts";
import { NotNow, Work } from "./work.ts";

export interface PlacedSpec {
  readonly spec: GuideSpec;
  /** Where in the request it is. */
  readonly path: string;
}

/** What one request's answer is held to, to be tried before anything of it reaches a model. Plain data. */
export interface GuideCheck {
  readonly whole: PlacedSpec;
  /** Of these it is made: in them is looked for what is wrong. */
  readonly parts: readonly PlacedSpec[];
}

/** Why it can't be enforced, in at most 500 characters each. */
export interface Flaw {
  readonly message: string;
  readonly param: string;
}

/** Characters of a flaw's texts, which hold names that callers chose and are kept. */
const MOST_TOLD = 500;
/** Milliseconds that are spent to find out in which part it is. */
const SEARCH_MS = 100;

/** Takes up to 100 ms, and as much again where the parts are looked at. Null where nothing is wrong. */
export function flawOf(check: GuideCheck): Flaw | null {
  return flawWith(check, () => new Work());
}

/** The same where it takes no longer than `isLate` allows; else "unknown". */
export function quickFlawOf(check: GuideCheck, isLate: () => boolean): Flaw | null | "unknown" {
  try {
    return flawWith(check, () => new Work(1, isLate));
  } catch (error) {
    if (error instanceof NotNow) return "unknown";
    throw error;
  }
}

/** A 400 that says so. */
export function refusalOf({ message, param }: Flaw): GatewayError {
  return new GatewayError("invalid_request", message, { param });
}

/** All of it as one guide is what has to be small enough; what is wrong in a part is told of the part. */
function flawWith({ whole, parts }: GuideCheck, newWork: () => Work): Flaw | null {
  const flaw = flawIn(whole, newWork());
  if (flaw === null) return null;
  const began = performance.now();
  for (const part of parts) {
    if (performance.now() - began > SEARCH_MS) break;
    const own = flawIn(part, newWork());
    if (own !== null) return own;
  }
  return flaw;
}

function flawIn({ spec, path }: PlacedSpec, work: Work): Flaw | null {
  try {
    machineOf(spec, work);
    return null;
  } catch (error) {
    if (error instanceof SpecError) return flawAt(joinPath(path, error.path), error.message);
    if (error instanceof GuideError) return flawAt(path, error.message);
    throw error;
  }
}

function flawAt(param: string, message: string): Flaw {
  return { message: bounded(message), param: bounded(param) };
}

/** Without its middle, where it is long: a path's ends say the most. */
function bounded(text: string): string {
  if (text.length <= MOST_TOLD) return text;
  const half = MOST_TOLD / 2 - 1;
  return `${text.slice(0, half)}…${text.slice(-half)}`.toWellFormed();
}
