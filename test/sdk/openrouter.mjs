// What a program that uses OpenRouter's SDK does, once for each job on standard input.
import { OpenRouter } from "@openrouter/sdk";
import { answerJobs, PIXEL, REPORT, WEATHER, weatherIn } from "./ask.mjs";

const clientOf = ({ url, key, base = "/api/v1" }) =>
  new OpenRouter({ apiKey: key, serverURL: url + base, retryConfig: { strategy: "none" } });

const user = (content) => ({ role: "user", content });
const tools = [{ type: "function", function: WEATHER }];

const send = (job, chatRequest) =>
  clientOf(job).chat.send({ chatRequest: { model: job.model, ...chatRequest } });

async function read(stream) {
  const seen = { text: "", finish: null, tokens: null, cost: null, error: null, calls: [] };
  for await (const chunk of stream) {
    const [choice] = chunk.choices;
    seen.text += choice?.delta.content ?? "";
    seen.finish = choice?.finishReason ?? seen.finish;
    seen.tokens = chunk.usage?.completionTokens ?? seen.tokens;
    seen.cost = chunk.usage?.cost ?? seen.cost;
    seen.error = chunk.error ?? seen.error;
    for (const { index, function: piece } of choice?.delta.toolCalls ?? []) {
      seen.calls[index] ??= { name: "", arguments: "" };
      seen.calls[index].name += piece?.name ?? "";
      seen.calls[index].arguments += piece?.arguments ?? "";
    }
  }
  return seen;
}

const JOBS = {
  async chat(job) {
    const answer = await send(job, { messages: [user(job.text)], maxTokens: job.limit });
    const [{ message, finishReason }] = answer.choices;
    const { completionTokens: tokens, cost } = answer.usage;
    return { text: message.content, finish: finishReason, model: answer.model, tokens, cost };
  },

  async stream(job) {
    return read(await send(job, { messages: [user(job.text)], stream: true }));
  },

  async tools(job) {
    const asked = [user(job.text)];
    const first = await send(job, { messages: asked, tools });
    const [{ message, finishReason }] = first.choices;
    const [call] = message.toolCalls;
    const result = weatherIn(JSON.parse(call.function.arguments).city);
    const answered = { role: "tool", toolCallId: call.id, content: result };
    const second = await send(job, { messages: [...asked, message, answered], tools });
    return { called: call.function, finish: finishReason, text: second.choices[0].message.content };
  },

  async toolStream(job) {
    const seen = await read(await send(job, { messages: [user(job.text)], tools, stream: true }));
    return { called: seen.calls[0], finish: seen.finish };
  },

  async schema(job) {
    const jsonSchema = { name: "report", strict: true, schema: REPORT };
    const responseFormat = { type: "json_schema", jsonSchema };
    const answer = await send(job, { messages: [user(job.text)], responseFormat });
    return JSON.parse(answer.choices[0].message.content);
  },

  async vision(job) {
    const image = { type: "image_url", imageUrl: { url: PIXEL } };
    const messages = [user([{ type: "text", text: job.text }, image])];
    const answer = await send(job, { messages });
    return { text: answer.choices[0].message.content };
  },

  /** A chat, and what the call log says of it. */
  async generation(job) {
    const client = clientOf(job);
    const answer = await send(job, { messages: [user(job.text)] });
    const { data } = await client.generations.getGeneration({ id: answer.id });
    const { model, providerName, tokensCompletion, finishReason, streamed } = data;
    return {
      same: data.id === answer.id,
      model,
      providerName,
      tokensCompletion,
      finishReason,
      streamed,
    };
  },

  async lists(job) {
    const client = clientOf(job);
    const ids = [];
    for await (const page of await client.models.list({})) {
      ids.push(...page.result.data.map(({ id }) => id));
    }
    const { count } = (await client.models.count({})).data;
    const [author, slug] = job.model.split("/");
    const one = (await client.models.get({ author, slug })).data;
    const { endpoints } = (await client.endpoints.list({ author, slug })).data;
    const providers = (await client.providers.list()).data;
    return {
      counted: ids.length === count,
      listed: ids.includes(job.model),
      one: one.id,
      endpoints: endpoints.map(({ tag, providerName, pricing }) => ({
        tag,
        providerName,
        prompt: pricing.prompt,
      })),
      providers: providers.map(({ slug: id }) => id),
    };
  },

  async account(job) {
    const client = clientOf(job);
    const { label, limit, rateLimit } = (await client.apiKeys.getCurrentKeyMetadata()).data;
    const { totalCredits, totalUsage } = (await client.credits.getCredits()).data;
    return { label, limit, requests: rateLimit.requests, totalCredits, totalUsage };
  },
};

await answerJobs(JOBS, (error) => ({
  status: error.statusCode ?? null,
  code: error.error?.code ?? null,
  type: error.error?.metadata?.error_type ?? null,
  message: error.message,
}));
