// What a program that uses the Vercel AI SDK does, once for each job on standard input:
// `node vercel.mjs openrouter` with OpenRouter's provider, `node vercel.mjs compatible` with the one for
// servers that speak OpenAI's API.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { createOpenRouter } from "@openrouter/ai-sdk-provider";
import { APICallError, generateText, jsonSchema, Output, stepCountIs, streamText, tool } from "ai";
import { answerJobs, PIXEL, REPORT, WEATHER, weatherIn } from "./ask.mjs";

const MODEL_OF = {
  openrouter: ({ url, key, model }) =>
    createOpenRouter({ baseURL: `${url}/api/v1`, apiKey: key }).chat(model),
  compatible: ({ url, key, model }) =>
    createOpenAICompatible({
      name: "covey",
      baseURL: `${url}/v1`,
      apiKey: key,
      includeUsage: true,
      supportsStructuredOutputs: true,
    })(model),
};
const modelOf = MODEL_OF[process.argv[2]];

const asked = (job) => ({
  model: modelOf(job),
  prompt: job.text,
  maxRetries: 0,
  maxOutputTokens: job.limit,
});
const tools = {
  weather: tool({
    description: WEATHER.description,
    inputSchema: jsonSchema(WEATHER.parameters),
    execute: ({ city }) => weatherIn(city),
  }),
};

async function read(result) {
  const seen = { text: "", error: null, called: null };
  for await (const part of result.fullStream) {
    if (part.type === "text-delta") seen.text += part.text;
    if (part.type === "error") seen.error = part.error.message ?? part.error;
    if (part.type === "tool-call") seen.called = { name: part.toolName, input: part.input };
    if (part.type === "finish") {
      seen.finish = part.finishReason;
      seen.tokens = part.totalUsage.outputTokens ?? null;
    }
  }
  return seen;
}

const JOBS = {
  async chat(job) {
    const { text, finishReason, usage, response, providerMetadata } = await generateText(
      asked(job),
    );
    const cost = providerMetadata?.openrouter?.usage?.cost ?? null;
    const provider = providerMetadata?.openrouter?.provider ?? null;
    const { modelId: model } = response;
    return { text, finish: finishReason, model, tokens: usage.outputTokens, cost, provider };
  },

  async stream(job) {
    return read(streamText({ ...asked(job), onError: () => undefined }));
  },

  async tools(job) {
    const stopWhen = stepCountIs(3);
    const { text, steps } = await generateText({ ...asked(job), tools, stopWhen });
    const [first] = steps;
    const [call] = first.toolCalls;
    return { called: { name: call.toolName, input: call.input }, finish: first.finishReason, text };
  },

  async toolStream(job) {
    const { called, text } = await read(
      streamText({ ...asked(job), tools, stopWhen: stepCountIs(3) }),
    );
    return { called, text };
  },

  async schema(job) {
    const output = Output.object({ schema: jsonSchema(REPORT), name: "report" });
    return (await generateText({ ...asked(job), output })).output;
  },

  async vision(job) {
    const content = [
      { type: "text", text: job.text },
      { type: "file", data: PIXEL, mediaType: "image/png" },
    ];
    const { prompt: _prompt, ...rest } = asked(job);
    return { text: (await generateText({ ...rest, messages: [{ role: "user", content }] })).text };
  },
};

await answerJobs(JOBS, (error) => ({
  status: APICallError.isInstance(error) ? error.statusCode : null,
  retryable: APICallError.isInstance(error) ? error.isRetryable : null,
  message: error.message,
}));
