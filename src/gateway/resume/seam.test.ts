import { expect, test } from "bun:test";
import {
  eventsOf,
  hear,
  randomAnswer,
  randomText,
  renamed,
  type Told,
} from "../../../test/gateway/told.ts";
import { forSeeds, type Seeded } from "../../../test/seeded.ts";
import type { JsonObject, StreamEvent } from "../../types.ts";
import { Mismatch, RestartSeam } from "./restart-seam.ts";
import { ContinueSeam, type Seam } from "./seam.ts";
import { deltaOf, Transcript } from "./transcript.ts";

const transcriptOf = (events: readonly StreamEvent[]): Transcript => {
  const transcript = new Transcript();
  for (const event of events) transcript.add(event);
  return transcript;
};

const through = (seam: Seam, events: readonly StreamEvent[]): StreamEvent[] =>
  events.map((event) => seam.take(event)).filter((event) => event !== null);

const event = (delta: JsonObject, finish_reason: "stop" | "length" | null = null): StreamEvent => ({
  choices: [{ index: 0, delta, logprobs: null, finish_reason }],
});

/** The answer cut in one way and sent up to any event before its end. */
function sentOf(random: Seeded, told: Told): StreamEvent[] {
  const events = eventsOf(random, told);
  return events.slice(0, random.below(events.length));
}

const MANY = 4000;

test("an answer that is made anew goes on where it was cut, whatever its pieces", () => {
  forSeeds(MANY, (random) => {
    const told = randomAnswer(random);
    const sent = sentOf(random, told);
    const again = eventsOf(random, renamed(told));
    const rest = through(new RestartSeam(transcriptOf(sent)), again);
    const begun = hear(sent).tools.length;
    expect(hear([...sent, ...rest])).toEqual({
      ...told,
      tools: told.tools.map((tool, n) => (n < begun ? tool : { ...tool, id: `second_${n}` })),
      roles: 1,
      finishes: [told.tools.length > 0 ? "tool_calls" : "stop"],
    });
  });
});

test("nothing but what is new is sent: no event that says nothing, and no second role", () => {
  forSeeds(MANY, (random) => {
    const told = randomAnswer(random);
    const sent = sentOf(random, told);
    if (sent.length === 0) return;
    const rest = through(new RestartSeam(transcriptOf(sent)), eventsOf(random, told));
    for (const { choices } of rest) {
      for (const choice of choices) {
        const said = "delta" in choice ? Object.keys(deltaOf(choice)) : [];
        expect(said).not.toContain("role");
        expect(said.length > 0 || choice.finish_reason !== null).toBe(true);
      }
    }
  });
});

test("an answer can be made anew several times, each from where the last one died", () => {
  forSeeds(MANY / 4, (random) => {
    const told = randomAnswer(random);
    const sent = sentOf(random, told);
    for (let n = 0; n < 3; n++) {
      const rest = through(new RestartSeam(transcriptOf(sent)), eventsOf(random, told));
      sent.push(...rest.slice(0, random.below(rest.length)));
    }
    sent.push(...through(new RestartSeam(transcriptOf(sent)), eventsOf(random, told)));
    const { roles: _roles, finishes, ...heard } = hear(sent);
    expect(heard).toEqual(told);
    expect(finishes).toHaveLength(1);
  });
});

/** Another character at this place. */
const spoilt = (text: string, at: number): string =>
  `${text.slice(0, at)}${text[at] === "#" ? "%" : "#"}${text.slice(at + 1)}`;

/** The same answer but for one thing in the part that was sent; null when nothing comparable was. */
function otherwise(random: Seeded, told: Told, sent: Told): Told | null {
  const ways: Told[] = [];
  const said = sent.text !== "" || sent.refusal !== "" || sent.tools.length > 0;
  for (const name of ["text", "refusal", "reasoning"] as const) {
    // Once something else was said, reasoning may differ.
    if (sent[name] === "" || (name === "reasoning" && said)) continue;
    ways.push({ ...told, [name]: spoilt(told[name], random.below(sent[name].length)) });
    ways.push({ ...told, [name]: told[name].slice(0, random.below(sent[name].length)) });
  }
  if (sent.tools.length > 0 && sent.text === told.text) {
    ways.push({ ...told, text: `${told.text}#` });
  }
  for (const [at, tool] of sent.tools.entries()) {
    const other = (changed: Partial<Told["tools"][number]>): Told => ({
      ...told,
      tools: told.tools.map((each, n) => (n === at ? { ...each, ...changed } : each)),
    });
    const whole = told.tools[at];
    if (whole === undefined) continue;
    if (tool.name !== "") ways.push(other({ name: spoilt(whole.name, 0) }));
    if (tool.arguments !== "") {
      ways.push(other({ name: `${whole.name}#` }));
      const place = random.below(tool.arguments.length);
      ways.push(other({ arguments: spoilt(whole.arguments, place) }));
      ways.push(other({ arguments: whole.arguments.slice(0, place) }));
    }
    if (at < sent.tools.length - 1) ways.push(other({ arguments: `${whole.arguments}#` }));
    ways.push({ ...told, tools: told.tools.slice(0, at) });
  }
  const [first, ...others] = ways;
  return first === undefined ? null : random.pick([first, ...others]);
}

test("any difference in what was sent is a mismatch, before a single character has come through", () => {
  let compared = 0;
  forSeeds(MANY, (random) => {
    const told = randomAnswer(random);
    const sent = sentOf(random, told);
    const other = otherwise(random, told, hear(sent));
    if (other === null) return;
    compared += 1;
    const seam = new RestartSeam(transcriptOf(sent));
    const come: StreamEvent[] = [];
    expect(() => {
      for (const each of eventsOf(random, other)) {
        const rest = seam.take(each);
        if (rest !== null) come.push(rest);
      }
    }).toThrow(Mismatch);
    expect(come).toEqual([]);
  });
  expect(compared).toBeGreaterThan(MANY / 3);
});

test("answers side by side are joined each for itself", () => {
  forSeeds(MANY / 4, (random) => {
    const both = [randomText(random, 10), randomText(random, 10)];
    const woven = () => {
      const queues = both.map((text, index) => {
        const pieces = [...random.cut(text), ""];
        return pieces.map((said, n): StreamEvent => {
          const finish_reason = n === pieces.length - 1 ? "stop" : null;
          return { choices: [{ index, text: said, logprobs: null, finish_reason }] };
        });
      });
      const events: StreamEvent[] = [];
      while (queues.some((queue) => queue.length > 0)) {
        const next = queues[random.below(2)]?.shift();
        if (next !== undefined) events.push(next);
      }
      return events;
    };
    const first = woven();
    const sent = first.slice(0, random.below(first.length));
    const all = [...sent, ...through(new RestartSeam(transcriptOf(sent)), woven())];
    for (const [index, text] of both.entries()) {
      expect(hear(all, index)).toMatchObject({ text, finishes: ["stop"] });
    }
  });
});

test("it has passed once all that was sent has come again, and not before", () => {
  const seam = new RestartSeam(transcriptOf([event({ role: "assistant", content: "Once upon" })]));
  expect([seam.take(event({ content: "Once " })), seam.passed]).toEqual([null, false]);
  expect([seam.take(event({ content: "upon" })), seam.passed]).toEqual([null, true]);
});

test("the last event of an answer made anew brings neither role nor reasoning again", () => {
  const sent = [event({ role: "assistant", reasoning: "Hm", content: "Once" })];
  const seam = new RestartSeam(transcriptOf(sent));
  seam.take(event({ content: "Once" }));
  const last = seam.take(event({ role: "assistant", reasoning: "Hm" }, "stop"));
  expect(last?.choices[0]).toMatchObject({ delta: {}, finish_reason: "stop" });
  expect(hear(last === null ? [] : [last])).toMatchObject({ reasoning: "", roles: 0 });
});

test("what is of no kind that was sent comes through whole", () => {
  const seam = new RestartSeam(transcriptOf([event({ role: "assistant", content: "Once" })]));
  const call = { name: "f", arguments: "{}" };
  const delta = { content: "Once", function_call: call };
  expect(seam.take(event(delta))?.choices[0]).toMatchObject({ delta: { function_call: call } });
  const more = { annotations: [{ type: "url_citation" }] };
  expect(seam.take(event(more))?.choices[0]).toMatchObject({ delta: more });
});

test("where the answer goes on, white space at the seam comes once, however it is cut", () => {
  forSeeds(MANY, (random) => {
    const spaces = [" ", "\n", "\t", "\n\n", ""] as const;
    const [kept, space] = [randomText(random, 5).trimEnd(), random.pick([...spaces])];
    const next = randomText(random, 6);
    const pieces = random.cut(space + next).map((content) => event({ content }));
    const rest = through(new ContinueSeam(space), pieces);
    expect(kept + space + hear(rest).text).toBe(kept + space + next);
    // A target that leaves the white space out has joined its words to what was sent.
    const without = random.cut(next.trimStart()).map((content) => event({ content }));
    expect(hear(through(new ContinueSeam(space), without)).text).toBe(next.trimStart());
  });
});

test("what goes on brings no role and no reasoning, but its end and its tool calls", () => {
  const seam = new ContinueSeam("");
  const call = { index: 0, id: "c", type: "function", function: { name: "f", arguments: "" } };
  expect(seam.take(event({ role: "assistant", content: "" }))).toBeNull();
  expect(seam.take(event({ reasoning: "Hm", reasoning_content: "Hm" }))).toBeNull();
  expect(seam.take(event({ tool_calls: [call] }))?.choices[0]).toMatchObject({
    delta: { tool_calls: [call] },
  });
  expect(seam.take(event({}, "length"))?.choices[0]).toMatchObject({ finish_reason: "length" });
});

test("a tool whose name only begins with the one that was sent is another tool", () => {
  const call = (name: string) => ({
    tool_calls: [{ index: 0, id: "c", type: "function", function: { name, arguments: "" } }],
  });
  const seam = new RestartSeam(transcriptOf([event(call("search"))]));
  expect(() => seam.take(event(call("search_web")))).toThrow(Mismatch);
});
