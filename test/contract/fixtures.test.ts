import { describe, expect, test } from "bun:test";
import type { z } from "zod";
import { ChatChunk, ChatResponse } from "../../src/contract/chat.ts";
import { CompletionResponse } from "../../src/contract/completions.ts";
import { EmbeddingsResponse } from "../../src/contract/embeddings.ts";
import { ERRORS, ErrorBody } from "../../src/contract/errors.ts";
import {
  errorExample,
  errorStatuses,
  errorsWith,
  REQUEST_EXAMPLES,
} from "../../src/contract/examples.ts";
import { ModelList } from "../../src/contract/models.ts";
import { CONTRACTS } from "../../src/contract/operations.ts";
import chunkError from "../contracts/fixtures/chat_chunk_error.json";
import chunkRole from "../contracts/fixtures/chat_chunk_role.json";
import chunkUsage from "../contracts/fixtures/chat_chunk_usage.json";
import chat from "../contracts/fixtures/chat_completion.json";
import completion from "../contracts/fixtures/completion.json";
import embeddings from "../contracts/fixtures/embeddings.json";
import errorOpenai from "../contracts/fixtures/error_openai.json";
import errorOpenrouter from "../contracts/fixtures/error_openrouter.json";
import models from "../contracts/fixtures/models.json";
import { type OracleSchema, oracle } from "../oracle.ts";

const cases: [name: string, value: object, ours: z.ZodType, openai: OracleSchema][] = [
  ["chat completion", chat, ChatResponse, "CreateChatCompletionResponse"],
  ["first chunk", chunkRole, ChatChunk, "CreateChatCompletionStreamResponse"],
  ["usage chunk", chunkUsage, ChatChunk, "CreateChatCompletionStreamResponse"],
  ["completion", completion, CompletionResponse, "CreateCompletionResponse"],
  ["embeddings", embeddings, EmbeddingsResponse, "CreateEmbeddingResponse"],
  ["error", errorOpenai, ErrorBody, "ErrorResponse"],
  ["models", models, ModelList, "ListModelsResponse"],
];

describe("recorded answers", () => {
  for (const [name, value, ours, openai] of cases) {
    test(`the ${name} fits our schema, whole, and OpenAI's`, () => {
      expect(ours.parse(value)).toEqual(value);
      oracle(openai)(value);
    });

    test(`the ${name} without one of its keys fits neither`, () => {
      const [key] = Object.keys(value);
      const broken = Object.fromEntries(Object.entries(value).filter(([k]) => k !== key));
      expect(ours.safeParse(broken).success).toBe(false);
      expect(() => oracle(openai)(broken)).toThrow(openai);
    });
  }

  test("a model of the list is a model by itself", () => oracle("Model")(models.data[0]));

  test("OpenRouter's errors are no answers of the OpenAI dialect", () => {
    expect(ErrorBody.safeParse(errorOpenrouter).success).toBe(false);
    expect(() => oracle("ErrorResponse")(errorOpenrouter)).toThrow();
    expect(ChatChunk.safeParse(chunkError).success).toBe(false);
    expect(() => oracle("CreateChatCompletionStreamResponse")(chunkError)).toThrow();
  });
});

describe("examples of the documentation", () => {
  test("every error has OpenAI's shape", () => {
    const names = [...errorStatuses(), 405, 499].flatMap(errorsWith);
    expect<string[]>(names.toSorted()).toEqual(Object.keys(ERRORS).toSorted());
    for (const name of names) {
      const body = errorExample(name);
      oracle("ErrorResponse")(body);
      expect<unknown>(ErrorBody.parse(body)).toEqual(body);
    }
  });

  test("every endpoint with a body has a request that it accepts", () => {
    for (const contract of Object.values(CONTRACTS)) {
      if (contract.request === null) continue;
      const example = REQUEST_EXAMPLES[contract.operation];
      expect(example).toBeDefined();
      expect<unknown>(contract.request.parse(example)).toEqual(example);
    }
  });
});
