/** Chat requests of the sizes people send, and an answer of the size they get. */

const question = "What is the capital of France, and which river flows through it?";

const turns = Array.from({ length: 12 }, (_, turn) => ({
  role: turn % 2 === 0 ? "user" : "assistant",
  content: `Turn ${turn}: ${"the gateway reads each of these words, checks it, and passes it on. ".repeat(4)}`,
}));

export const SMALL_CHAT = JSON.stringify({
  model: "bench",
  messages: [
    { role: "system", content: "You are a helpful assistant. Answer in one short sentence." },
    { role: "user", content: question },
  ],
  temperature: 0.7,
  top_p: 0.95,
  max_tokens: 256,
  user: "bench",
});

export const LONG_CHAT = JSON.stringify({
  model: "bench",
  messages: [
    { role: "system", content: "You are a helpful assistant." },
    ...turns,
    { role: "user", content: question },
  ],
  temperature: 0.7,
  max_tokens: 256,
});

/** No apostrophe: it stands between two in nginx's config. */
export const ANSWER = JSON.stringify({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1742668800,
  model: "bench",
  choices: [
    {
      index: 0,
      message: {
        role: "assistant",
        content: "The capital of France is Paris, on the Seine.",
        refusal: null,
      },
      logprobs: null,
      finish_reason: "stop",
    },
  ],
  usage: { prompt_tokens: 37, completion_tokens: 12, total_tokens: 49 },
});
