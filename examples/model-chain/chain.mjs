// Hands one model's answer to the next, each asked to improve what came before.
//
//   node chain.mjs "Write a function that reverses a linked list."
//
// COVEY_BASE_URL  where Covey is; http://127.0.0.1:8080/v1 without it
// COVEY_API_KEY   a key, where one is needed
// COVEY_MODELS    the chain, separated by commas; without it COVEY_MODEL twice, or tinyllama, which comes with Covey.
//                 With a provider: Qwen/Qwen2.5-Coder-32B-Instruct,nvidia/OpenCodeReasoning-Nemotron-32B
// COVEY_MAX_TOKENS  tokens of one answer; 512 without it, which a context of 2048 tokens has room for

const BASE_URL = process.env.COVEY_BASE_URL ?? "http://127.0.0.1:8080/v1";
const MAX_TOKENS = Number(process.env.COVEY_MAX_TOKENS ?? 512);
const MODEL = process.env.COVEY_MODEL ?? "tinyllama";
const MODELS = (process.env.COVEY_MODELS ?? `${MODEL},${MODEL}`).split(",");

async function ask(model, prompt) {
  const response = await fetch(`${BASE_URL}/chat/completions`, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${process.env.COVEY_API_KEY ?? "none"}`,
      "Content-Type": "application/json",
    },
    body: JSON.stringify({
      model,
      messages: [{ role: "user", content: prompt }],
      max_tokens: MAX_TOKENS,
    }),
  });
  const data = await response.json();
  if (!response.ok) throw new Error(`${model}: ${data.error.message}`);
  return data.choices[0].message.content;
}

async function chain(prompt) {
  const results = [];
  let context = prompt;
  for (const model of MODELS) {
    const output = await ask(model, context);
    results.push({ model, output });
    context = `Previous output from ${model}:\n${output}\n\nImprove this further.`;
  }
  return results;
}

const prompt = process.argv[2];
if (prompt === undefined) {
  console.error('usage: node chain.mjs "<prompt>"');
  process.exit(2);
}
try {
  for (const { model, output } of await chain(prompt)) console.log(`## ${model}\n\n${output}\n`);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
