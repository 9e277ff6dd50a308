// What all client programs do: the jobs on standard input, one after the other, one line of JSON a
// result. Plain JavaScript, since it runs on Node and on Bun.

/** Runs each job's function; what it throws becomes `error`, as `describe` tells it. */
export async function answerJobs(functions, describe) {
  const jobs = JSON.parse(await new Response(process.stdin).text());
  for (const job of jobs) {
    const began = performance.now();
    let result;
    try {
      result = { ok: await functions[job.do](job) };
    } catch (error) {
      result = { error: { class: error.constructor.name, ...describe(error) } };
    }
    console.log(JSON.stringify({ ...result, seconds: (performance.now() - began) / 1000 }));
  }
}

/** The function that models are given, as JSON Schema, and what it says. */
export const WEATHER = {
  name: "weather",
  description: "The weather of a city.",
  parameters: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  },
};
export const weatherIn = (city) => `sunny in ${city}`;

/** The schema that answers must keep to. */
export const REPORT = {
  type: "object",
  properties: { city: { type: "string" }, degrees: { type: "number" } },
  required: ["city", "degrees"],
  additionalProperties: false,
};

/** A PNG of one pixel. */
export const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
