import type { Answer, ClaimMessage, SettledMessage } from "./messages.ts";
import type { Heard, Session } from "./session.ts";

/** How many claims go into one call of the script: it stops Redis for as long as it takes. */
const MOST_AT_ONCE = 200;

export interface Answered {
  readonly answer: Answer;
  /** When it was asked, on the clock of this process. */
  readonly sentAt: number;
}

interface Waiting {
  readonly message: ClaimMessage;
  readonly answered: (answer: Answered) => void;
  readonly failed: (error: unknown) => void;
}

/** What is to be said to Redis: all that comes in one turn of the event loop goes out together. */
export class Batches {
  readonly #heard: (heard: Heard) => void;
  #session: Session | null = null;
  #claims: Waiting[] = [];
  /** By the lease's id. Said again after a failure, as such. */
  readonly #settled = new Map<string, SettledMessage>();
  #isDue = false;

  constructor(heard: (heard: Heard) => void) {
    this.#heard = heard;
  }

  /** From now on it is said here; nowhere while there is none. */
  use(session: Session | null): void {
    this.#session = session;
    if (session !== null) this.#soon();
    else for (const { failed } of this.#claims.splice(0)) failed(new Error("Redis is gone"));
  }

  /** Rejects when it is not known whether it was granted. */
  claim(message: ClaimMessage): Promise<Answered> {
    if (this.#session === null) return Promise.reject(new Error("Redis is gone"));
    return new Promise((answered, failed) => {
      this.#claims.push({ message, answered, failed });
      this.#soon();
    });
  }

  settle(message: SettledMessage): void {
    this.#settled.set(message.id, message);
    this.#soon();
  }

  /** For who says it elsewhere. */
  takeSettled(): SettledMessage[] {
    const all = [...this.#settled.values()];
    this.#settled.clear();
    return all;
  }

  /** It is not known whether it was heard. */
  putBack(all: readonly SettledMessage[], { run }: Pick<Session, "run">): void {
    for (const message of all) this.#settled.set(message.id, { ...message, again: run });
  }

  #soon(): void {
    if (this.#isDue || this.#session === null) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      const session = this.#session;
      if (session === null) return;
      while (this.#claims.length > 0) void this.#say(session, this.#claims.splice(0, MOST_AT_ONCE));
      if (this.#settled.size > 0) void this.#say(session, []);
    });
  }

  async #say(session: Session, some: readonly Waiting[]): Promise<void> {
    const settled = this.takeSettled();
    const claims = some.map(({ message }) => message);
    try {
      const heard = await session.say({ op: "admit", claims, settled });
      this.#heard(heard);
      for (const [index, { answered, failed }] of some.entries()) {
        const answer = heard.answers?.[index];
        if (answer === undefined) failed(new TypeError("Redis did not answer a claim"));
        else answered({ answer, sentAt: heard.sentAt });
      }
    } catch (error) {
      this.putBack(settled, session);
      for (const { failed } of some) failed(error);
    }
  }
}
