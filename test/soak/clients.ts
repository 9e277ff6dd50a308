import { chatBody, post } from "../e2e/wire.ts";
import type { Seeded } from "../seeded.ts";

/** What a client knows of one call. */
export interface Told {
  /** Ours, from the response's header; null when there was no response. */
  id: string | null;
  /** In the last message, and so in what the upstream was asked: no two calls have the same. */
  readonly text: string;
  readonly model: string;
  /** The client has the whole answer, or the whole refusal. */
  whole: boolean;
  httpStatus: number;
}

/** Each is a kind of trouble of its own, and the fake upstream's name for it. */
export const MODELS = [
  "echo",
  "gap-15",
  "endless-20",
  "status-500-5",
  "breaks-20",
  "flaky-503-1",
] as const;

/** Clients that ask without pause until the server is gone, streaming or not, and leave when they please. */
export async function mixedLoad(url: string, clients: number, random: Seeded): Promise<Told[]> {
  const told: Told[] = [];
  await Promise.all(Array.from({ length: clients }, () => client(url, told, random)));
  return told;
}

async function client(url: string, told: Told[], random: Seeded): Promise<void> {
  for (;;) {
    const model = random.pick(MODELS);
    const words = Array.from({ length: 3 + random.below(20) }, (_, n) => `w${n}`);
    const text = `${Bun.randomUUIDv7()} ${words.join(" ")}`;
    const call: Told = { id: null, text, model, whole: false, httpStatus: 0 };
    told.push(call);
    const leaves = model === "endless-20" || random.chance(0.15);
    const signal = leaves ? AbortSignal.timeout(20 + random.below(1500)) : undefined;
    const body = chatBody(model, text, { stream: model === "endless-20" || random.chance(0.6) });
    try {
      const answer = await post(
        `${url}/v1/chat/completions`,
        body,
        signal === undefined ? {} : { signal },
      );
      call.id = answer.headers.get("x-covey-call-id");
      call.httpStatus = answer.status;
      const said = await answer.text();
      call.whole = answer.status !== 200 || !said.startsWith("data:") || said.includes("[DONE]");
    } catch (error) {
      if (signal?.aborted === true) continue;
      if (error instanceof Error && /socket|connect|ECONN|closed/i.test(error.message)) return;
      throw error;
    }
  }
}
