import { ableAnswer } from "./fake-able.ts";
import { answerBody, pieces } from "./fake-answers.ts";
import { messagesOf } from "./fake-asked.ts";
import type { FakeAnswer } from "./fake-behaviour.ts";
import type { Piece } from "./fake-faults.ts";
import { UPSTREAM_SECRET } from "./fake-refusals.ts";

/** The behaviours that say back what they are told: the lower part of the table in fake-upstream.ts. */
export async function echo(
  body: Record<string, unknown>,
  path: string,
  key: string,
  nthOfText: number,
): Promise<FakeAnswer> {
  const [behaviour = "echo", argument = "", more = ""] = String(body.model).split("-");
  switch (behaviour) {
    case "status":
      await Bun.sleep(Number(more));
      return errorAnswer(Number(argument), key);
    case "flaky":
      if (nthOfText <= Number(more)) return errorAnswer(Number(argument), key, "1");
      break;
    case "html":
      return page(`<html>Bad gateway ${UPSTREAM_SECRET}</html>`, Number(argument));
    case "redirect": {
      const location = `http://127.0.0.1:${argument}${path}`;
      return { status: 307, headers: { location }, body: "" };
    }
    case "not":
      return page("<!doctype html>", 200);
    case "slow":
      await Bun.sleep(Number(argument));
  }
  const chat = path.endsWith("/chat/completions");
  const able = behaviour === "able" ? ableAnswer(body) : null;
  const wanted = {
    behaviour: able?.call === true ? "tools" : behaviour,
    argument,
    chat,
    texts: able === null ? textsOf(body) : [able.text],
  };
  if (body.stream !== true) {
    return {
      status: 200,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(answerBody(wanted)),
    };
  }
  const size = behaviour === "cut" ? Number(argument) : 0;
  const events = pieces(wanted);
  return {
    status: 200,
    headers: { "content-type": "text/event-stream" },
    body: size > 0 ? inBytes(events, size) : events,
  };
}

const NAMES =
  "echo able slow gap endless flood cut bare forgets uncounted tools breaks unfinished error garbage status flaky html redirect not";

/** Whether a model is named for one of these behaviours. */
export function isEcho(model: string): boolean {
  return NAMES.split(" ").includes(model.split("-")[0] ?? "");
}

const RETRY_AFTER: Record<number, string> = { 429: "7", 503: "3" };

/** As some upstreams do, it repeats the key that it was sent. */
function errorAnswer(status: number, key: string, retryAfter = RETRY_AFTER[status]): FakeAnswer {
  const message = `upstream says ${status}, key ${key}, another ${UPSTREAM_SECRET}`;
  return {
    status,
    headers: {
      "content-type": "application/json",
      ...(retryAfter === undefined ? {} : { "retry-after": retryAfter }),
    },
    body: JSON.stringify({ error: { message, type: "x" } }),
  };
}

const page = (body: string, status: number): FakeAnswer => ({
  status,
  headers: { "content-type": "text/html" },
  body,
});

async function* inBytes(events: AsyncIterable<string>, size: number): AsyncGenerator<Piece> {
  for await (const event of events) {
    const bytes = new TextEncoder().encode(event);
    for (let i = 0; i < bytes.length; i += size) {
      yield bytes.subarray(i, i + size);
      await Bun.sleep(0);
    }
  }
}

/** What to answer with: the last message's text, or each prompt's. */
function textsOf(body: Record<string, unknown>): readonly string[] {
  if (Array.isArray(body.messages)) return [messagesOf(body).at(-1)?.text ?? ""];
  return Array.isArray(body.prompt) ? body.prompt.map(String) : [String(body.prompt)];
}

/** The text by which a request is known: the last user message, or the prompts. */
export function textOf(body: Record<string, unknown>): string {
  const messages = messagesOf(body);
  const user = messages.findLast(({ role }) => role === "user") ?? messages.at(-1);
  return user?.text ?? textsOf(body).join();
}
