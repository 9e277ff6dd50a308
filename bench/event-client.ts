/**
 * A process: opens streams side by side, counts their events and checks that each ends as it should.
 * Arguments: URL, streams, events in each, milliseconds between two. Prints one line of JSON; exits
 * with 1 when an event is missing.
 */

const [url = "", streams = "1", count = "1", gapMs = "0"] = process.argv.slice(2);
/** The role, the finish and the usage come with the content; `[DONE]` too. */
const EXPECTED = Number(count) + 4;

const body = JSON.stringify({
  model: "bench",
  stream: true,
  stream_options: { include_usage: true },
  messages: [{ role: "user", content: "Count." }],
  user: `events-${count}-${gapMs}`,
});

async function read(index: number): Promise<number> {
  // Streams of real callers don't tick together.
  if (Number(gapMs) > 0) await Bun.sleep((index * Number(gapMs)) / Number(streams));
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  if (response.status !== 200 || response.body === null) {
    throw new Error(`${response.status}: ${await response.text()}`);
  }
  const decoder = new TextDecoder();
  let events = 0;
  let last = "";
  for await (const bytes of response.body) {
    const text = last + decoder.decode(bytes, { stream: true });
    const pieces = text.split("\n\n");
    events += pieces.length - 1;
    last = pieces.at(-1) ?? "";
    if (last === "" && events === EXPECTED && !text.endsWith("data: [DONE]\n\n")) {
      throw new Error("a stream did not end with [DONE]");
    }
  }
  if (events !== EXPECTED || last !== "") {
    throw new Error(`a stream had ${events} events, not ${EXPECTED}`);
  }
  return events;
}

const began = performance.now();
const counts = await Promise.all(
  Array.from({ length: Number(streams) }, (_, index) => read(index)),
);
const events = counts.reduce((sum, own) => sum + own, 0);
console.log(JSON.stringify({ events, seconds: (performance.now() - began) / 1000 }));

export {};
