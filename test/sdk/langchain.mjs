// What a program that uses LangChain.js does, once for each job on standard input.
import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { ChatOpenAI } from "@langchain/openai";
import { answerJobs, PIXEL, REPORT, WEATHER, weatherIn } from "./ask.mjs";

const modelOf = ({ url, key, model, limit }) =>
  new ChatOpenAI({
    model,
    apiKey: key,
    maxRetries: 0,
    maxTokens: limit,
    configuration: { baseURL: `${url}/v1` },
  });

const tools = [{ type: "function", function: WEATHER }];

async function read(stream) {
  let whole = null;
  for await (const chunk of stream) whole = whole === null ? chunk : whole.concat(chunk);
  return whole;
}

const told = (message) => ({
  text: message.text,
  finish: message.response_metadata.finish_reason ?? null,
  tokens: message.usage_metadata?.output_tokens ?? null,
});

const JOBS = {
  async chat(job) {
    return told(await modelOf(job).invoke([new HumanMessage(job.text)]));
  },

  async stream(job) {
    return told(await read(await modelOf(job).stream([new HumanMessage(job.text)])));
  },

  async tools(job) {
    const model = modelOf(job).bindTools(tools);
    const asked = [new HumanMessage(job.text)];
    const message = await model.invoke(asked);
    const [call] = message.tool_calls;
    const result = new ToolMessage({ content: weatherIn(call.args.city), tool_call_id: call.id });
    const last = await model.invoke([...asked, message, result]);
    return { called: { name: call.name, input: call.args }, ...told(last) };
  },

  async toolStream(job) {
    const stream = await modelOf(job)
      .bindTools(tools)
      .stream([new HumanMessage(job.text)]);
    const [call] = (await read(stream)).tool_calls;
    return { called: { name: call.name, input: call.args } };
  },

  async schema(job) {
    const options = { name: "report", method: "jsonSchema", strict: true };
    return await modelOf(job).withStructuredOutput(REPORT, options).invoke(job.text);
  },

  async vision(job) {
    const image = { type: "image_url", image_url: { url: PIXEL } };
    const content = [{ type: "text", text: job.text }, image];
    return told(await modelOf(job).invoke([new HumanMessage({ content })]));
  },
};

await answerJobs(JOBS, (error) => ({
  status: error.status ?? null,
  code: error.code ?? null,
  message: error.message,
}));
