// What a program that uses OpenAI's SDK does, once for each job on standard input:
// `node client.mjs <package>`.
import { answerJobs, PIXEL, REPORT, WEATHER, weatherIn } from "./ask.mjs";

const { default: OpenAI } = await import(process.argv[2]);

const clientOf = ({ url, key, retries = 0 }) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: retries });

const messages = ({ text }) => [{ role: "user", content: text }];

const JOBS = {
  async chat(job) {
    const { model, more = {} } = job;
    const answer = await clientOf(job).chat.completions.create({
      model,
      messages: messages(job),
      ...more,
    });
    const [choice] = answer.choices;
    return {
      model: answer.model,
      text: choice.message.content,
      role: choice.message.role,
      finish: choice.finish_reason,
      tokens: answer.usage.completion_tokens,
      id: answer.id,
      request: answer._request_id,
    };
  },

  async stream(job) {
    const { model, more = {} } = job;
    const stream = await clientOf(job).chat.completions.create({
      model,
      messages: messages(job),
      stream: true,
      stream_options: { include_usage: true },
      ...more,
    });
    const seen = { text: "", finish: null, tokens: null, id: null };
    for await (const chunk of stream) {
      seen.id = chunk.id;
      seen.text += chunk.choices[0]?.delta.content ?? "";
      seen.finish = chunk.choices[0]?.finish_reason ?? seen.finish;
      seen.tokens = chunk.usage?.completion_tokens ?? seen.tokens;
    }
    return seen;
  },

  async tools(job) {
    const asked = messages(job);
    const tools = [{ type: "function", function: WEATHER }];
    const { chat } = clientOf(job);
    const { model, more } = job;
    const first = await chat.completions.create({ model, messages: asked, tools, ...more });
    const { message } = first.choices[0];
    const [{ id, function: called }] = message.tool_calls;
    const content = weatherIn(JSON.parse(called.arguments).city);
    const answered = [...asked, message, { role: "tool", tool_call_id: id, content }];
    const free = { ...more, tool_choice: "auto" };
    const last = await chat.completions.create({ model, messages: answered, tools, ...free });
    return { called, text: last.choices[0].message.content };
  },

  async toolStream(job) {
    const tools = [{ type: "function", function: WEATHER }];
    const { chat } = clientOf(job);
    const { model, more } = job;
    const stream = chat.completions.stream({ model, messages: messages(job), tools, ...more });
    const [{ message }] = (await stream.finalChatCompletion()).choices;
    const { name, arguments: text } = message.tool_calls[0].function;
    return { called: { name, arguments: text } };
  },

  async schema(job) {
    const json_schema = { name: "report", strict: true, schema: REPORT };
    const answer = await clientOf(job).chat.completions.parse({
      model: job.model,
      messages: messages(job),
      response_format: { type: "json_schema", json_schema },
    });
    return JSON.parse(answer.choices[0].message.content);
  },

  async vision(job) {
    const image = { type: "image_url", image_url: { url: PIXEL } };
    const content = [{ type: "text", text: job.text }, image];
    const answer = await clientOf(job).chat.completions.create({
      model: job.model,
      messages: [{ role: "user", content }],
    });
    return { text: answer.choices[0].message.content };
  },

  async completions(job) {
    const { model, prompt, more = {} } = job;
    const answer = await clientOf(job).completions.create({ model, prompt, ...more });
    return answer.choices.map(({ index, text, finish_reason }) => ({
      index,
      text,
      finish: finish_reason,
    }));
  },

  async completionStream(job) {
    const { model, prompt, more = {} } = job;
    const stream = await clientOf(job).completions.create({ model, prompt, stream: true, ...more });
    let text = "";
    for await (const chunk of stream) text += chunk.choices[0]?.text ?? "";
    return { text };
  },

  async embeddings(job) {
    const { model, prompt, more = {} } = job;
    const answer = await clientOf(job).embeddings.create({ model, input: prompt, ...more });
    return {
      vectors: answer.data.map(({ embedding }) => [...embedding]),
      indexes: answer.data.map(({ index }) => index),
      tokens: answer.usage.prompt_tokens,
    };
  },

  async models(job) {
    const client = clientOf(job);
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    const one = await client.models.retrieve(job.model);
    return { ids, one: one.id, owner: one.owned_by };
  },

  async leave(job) {
    const stream = await clientOf(job).chat.completions.create({
      model: job.model,
      messages: messages(job),
      stream: true,
    });
    const seen = { id: null, pieces: 0 };
    for await (const chunk of stream) {
      seen.id = chunk.id;
      if (chunk.choices[0]?.delta.content) seen.pieces += 1;
      if (seen.pieces === 3) stream.controller.abort();
      if (seen.pieces === 3) break;
    }
    return seen;
  },
};

await answerJobs(JOBS, (error) => ({
  status: error.status ?? null,
  code: error.code ?? null,
  param: error.param ?? null,
  type: error.type ?? null,
  retryAfter: error.headers?.get("retry-after") ?? null,
  shouldRetry: error.headers?.get("x-should-retry") ?? null,
}));
