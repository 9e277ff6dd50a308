import { expect, test } from "bun:test";
import type { Model, ModelState, Target } from "../../src/types.ts";
import { says } from "./acts.ts";
import { type Seen, type Stage, stage } from "./stage.ts";
import { modelNamed, targetAt } from "./targets.ts";

/** Images for models that take none: what the caller is told. */

const text = modelNamed("covey/words");
const eyes = modelNamed("lab/eyes", {
  modalities: { input: ["text", "image"], output: ["text"] },
});
const reader = modelNamed("covey/ocr", {
  engine: "ocr",
  modalities: { input: ["image"], output: ["text"] },
});
const hosted = modelNamed("lab/unsaid");
const at = (provider: string, model: Model): readonly [Model, readonly Target[]] => [
  model,
  [targetAt(provider, {}, model)],
];

const PARAM = "messages[1].content[1].image_url.url";
const messages = [
  { role: "system", content: "See." },
  {
    role: "user",
    content: [
      { type: "text", text: "What is it?" },
      { type: "image_url", image_url: { url: "https://example.com/a.png" } },
    ],
  },
];

function withModels(
  models: readonly (readonly [Model, readonly Target[]])[],
  states: Readonly<Record<string, ModelState>> = {},
): Stage {
  return stage({
    models,
    scripts: { local: says("hello", [1, 1]), lab: says("seen", [1, 1]) },
    state: ({ model }) => states[model.id] ?? { state: "ready", detail: null },
  });
}

const errorOf = ({ body }: Seen): { message: string; param: string | null } => {
  const error: unknown = body?.error;
  if (typeof error !== "object" || error === null) throw new Error("no error");
  return {
    message: String(Reflect.get(error, "message")),
    param: Reflect.get(error, "param"),
  };
};

const NONE =
  "No model here takes images: configure a provider that has one, such as [providers.openrouter] or a vLLM server of your own (docs/images.md).";

test("where no model takes images, the answer says what to configure, and what reads text", async () => {
  const play = withModels([at("local", text), at("local", reader)]);
  for (const stream of [false, true]) {
    const seen = await play.ask({ messages, stream });
    expect(seen.status).toBe(400);
    expect(errorOf(seen)).toEqual({
      message: `The model 'covey/words' takes text only, no images. ${NONE} 'covey/ocr' reads the text in images.`,
      param: PARAM,
    });
  }
  expect(play.asked.local).toEqual([]);
});

test("a model that has no chats is not asked for its eyes: its engine names the right endpoint", async () => {
  const vectors = modelNamed("lab/vectors", {
    category: "embeddings",
    modalities: { input: ["text"], output: ["embedding"] },
  });
  const play = withModels([at("local", vectors), at("local", text)]);
  const ask = (models: readonly string[]) => play.ask({ messages, model: models[0], models });
  await ask(["lab/vectors"]);
  expect(play.asked.local).toHaveLength(1);
  const mixed = await ask(["lab/vectors", "covey/words"]);
  expect(errorOf(mixed).message).toStartWith("The model 'lab/vectors' takes text only");
});

test("where the reader is not installed, it says what it lacks", async () => {
  const lacks = { state: "unavailable", detail: "needs the package sharp: npm install" } as const;
  const play = withModels([at("local", text), at("local", reader)], { "covey/ocr": lacks });
  expect(errorOf(await play.ask({ messages })).message).toEndWith(
    `${NONE} 'covey/ocr', which reads the text in images, needs the package sharp: npm install.`,
  );
});

test("models that take images and can answer are named", async () => {
  const play = withModels([at("local", text), at("lab", eyes)]);
  expect(errorOf(await play.ask({ messages })).message).toBe(
    "The model 'covey/words' takes text only, no images. Models here that take images: 'lab/eyes'.",
  );
});

test("a model that does not exist, or can't answer, is a 404 with the same advice", async () => {
  const gone = { state: "unavailable", detail: "its key is not set" } as const;
  const play = withModels([at("local", text), at("lab", eyes)], { "lab/eyes": gone });
  const unknown = await play.ask({ messages, model: "google/gemma-3-27b-it" });
  expect(unknown.status).toBe(404);
  expect(errorOf(unknown)).toEqual({
    message: `The model 'google/gemma-3-27b-it' does not exist here. ${NONE} GET /v1/models lists all.`,
    param: "model",
  });
  const barred = await play.ask({ messages, model: "lab/eyes" });
  expect(barred.status).toBe(404);
  expect(errorOf(barred).message).toBe(
    `The model 'lab/eyes' is known but can't answer here: its key is not set. ${NONE}`,
  );
});

test("without an image nothing of it is said", async () => {
  const play = withModels([at("local", text)]);
  expect((await play.ask()).status).toBe(200);
  expect(errorOf(await play.ask({ model: "nobody" })).message).not.toContain("image");
});

test("a model with eyes, the reader, and one of which a provider said nothing are asked", async () => {
  const play = withModels([
    at("lab", eyes),
    at("lab", hosted),
    at("local", reader),
    at("local", text),
  ]);
  for (const model of ["lab/eyes", "lab/unsaid", "covey/ocr"])
    expect((await play.ask({ messages, model })).status).toBe(200);
  // One of several that were asked for may see.
  const models = ["covey/words", "lab/eyes"];
  expect((await play.ask({ messages, model: "covey/words", models })).status).toBe(200);
});
