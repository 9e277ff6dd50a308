// What a program that uses OpenAI's SDK does, once for each job on standard input: one line of JSON a
// result. Plain JavaScript, since it runs on Node and on Bun: `node client.mjs <package>`.
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

const jobs = JSON.parse(await new Response(process.stdin).text());
for (const job of jobs) {
  const began = performance.now();
  let result;
  try {
    result = { ok: await JOBS[job.do](job) };
  } catch (error) {
    result = {
      error: {
        class: error.constructor.name,
        status: error.status ?? null,
        code: error.code ?? null,
        param: error.param ?? null,
        type: error.type ?? null,
        retryAfter: error.headers?.get("retry-after") ?? null,
        shouldRetry: error.headers?.get("x-should-retry") ?? null,
      },
    };
  }
  console.log(JSON.stringify({ ...result, seconds: (performance.now() - began) / 1000 }));
}
