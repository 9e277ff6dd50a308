import { GatewayError } from "../../contract/errors.ts";
import { untilAborted } from "../../lib/until-aborted.ts";
import { FairQueue } from "../queue.ts";
import { Turns } from "../turns.ts";
import { type Flaw, type GuideCheck, quickFlawOf, refusalOf } from "./check.ts";
import { Checker } from "./checker.ts";

/** Milliseconds that a check may take of the gateway's own thread. */
const QUICK_MS = 3;
/** And all of them together before others have a turn. */
const ROUND_MS = 6;
/** Checks that wait to be tried at all, with so many seconds each until those behind have their turn. */
const MOST_UNTRIED = 500;
const QUICK_SECONDS = (2 * QUICK_MS) / 1_000;
/** Checks that wait for the thread, up to 100 ms each. */
const MOST_WAITING = 64;
const CHECK_SECONDS = 0.1;
/** What was found of the last ones, by their hash. */
const MOST_KNOWN = 1_000;

export interface Asker {
  /** Keys take turns, here and at the thread. */
  readonly keyId: string;
  readonly signal: AbortSignal;
}

/**
 * Tries in the gateway's process what answers are to be held to. What takes some milliseconds is tried at
 * once; what takes longer on a thread of its own, so that no other request waits for it.
 */
export class GuideChecks {
  readonly #untried: FairQueue;
  readonly #line: FairQueue;
  readonly #turns = new Turns(undefined, ROUND_MS);
  readonly #known = new Map<string, Flaw | null>();
  readonly #checker: Checker;

  /**
   * @param mostWaiting checks that may wait for the thread
   * @param mostUntried and those that may wait to be tried at all: nothing was done for them yet
   */
  constructor(
    mostWaiting = MOST_WAITING,
    mostUntried = MOST_UNTRIED,
    checker: Checker = new Checker(),
  ) {
    this.#checker = checker;
    this.#untried = lineOf(mostUntried, QUICK_SECONDS);
    this.#line = lineOf(mostWaiting, CHECK_SECONDS);
  }

  /** Forms whose check was left to the thread so far; those that were known are not among them. */
  get handedOver(): number {
    return this.#checker.asked;
  }

  /**
   * Resolves where the form can be enforced.
   * @throws GatewayError invalid_request, with the place of what can't be; overloaded; unavailable; client_closed
   */
  async pass(check: GuideCheck, asker: Asker): Promise<void> {
    const found = await this.#quickFlaw(check, asker);
    const flaw = typeof found === "string" ? await this.#slowFlaw(found, asker) : found.flaw;
    if (flaw !== null) throw refusalOf(flaw);
  }

  /** One at a time, so that a key with many of them delays another's by one. */
  async #quickFlaw(check: GuideCheck, { keyId, signal }: Asker): Promise<Quick> {
    const release = await this.#untried.acquire({ keyId, signal });
    try {
      const found = await this.#turns.run(begun(check), () => !signal.aborted);
      if (found === null) throw left();
      return found;
    } finally {
      release();
    }
  }

  async #slowFlaw(text: string, { keyId, signal }: Asker): Promise<Flaw | null> {
    const name = new Bun.CryptoHasher("sha256").update(text).digest("base64");
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const release = await this.#line.acquire({ keyId, signal });
    // What nobody waits for any more keeps the thread, and is known when it ends.
    const finding = this.#found(name, text).finally(release);
    return untilAborted(finding, signal).catch((error: unknown) => {
      throw signal.aborted ? left() : error;
    });
  }

  async #found(name: string, text: string): Promise<Flaw | null> {
    // Somebody in front may have asked the same.
    const meanwhile = this.#known.get(name);
    if (meanwhile !== undefined) return meanwhile;
    const flaw = await this.#checker.flawOf(text);
    this.#known.set(name, flaw);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    return flaw;
  }
}

/** What is found in some milliseconds; else the check as a text, for the thread. */
type Quick = { readonly flaw: Flaw | null } | string;

function* begun(check: GuideCheck): Generator<void, Quick, void> {
  const until = performance.now() + QUICK_MS;
  const flaw = quickFlawOf(check, () => performance.now() > until);
  if (flaw !== "unknown") return { flaw };
  yield;
  return JSON.stringify(check);
}

/** Checks one at a time, keys by turns; each takes so many seconds at most. */
function lineOf(mostWaiting: number, seconds: number): FairQueue {
  return new FairQueue(
    1,
    mostWaiting,
    (waiting) => Math.ceil(waiting * seconds) + 1,
    "Too many forms of answers are waiting to be checked. Try again later.",
  );
}

function left(): GatewayError {
  return new GatewayError("client_closed", "The request was cancelled.");
}

/** One for the process: it holds nothing but what was found of forms. */
export const GUIDE_CHECKS = new GuideChecks();
