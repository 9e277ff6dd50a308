import type { ChatChunkBody, ChatRequest } from "../../contract/chat.ts";
import type { ImageSource } from "../../images/source.ts";
import { GroupStream } from "../../lib/group-stream.ts";
import type { AttemptContext, JsonObject, Reply } from "../../types.ts";
import { type AskContext, askModel } from "../ask-model.ts";
import type { ModelPool, PooledModel } from "../pool.ts";
import { OcrAnswer } from "./answer.ts";
import { inDecodeTime } from "./decode-limit.ts";
import type { OcrEvent, OcrSpeech } from "./protocol.ts";
import { askedImages, mostCharacters, refuseOcr, unreadByOcr, unsupportedOcr } from "./request.ts";

/** Answers a chat with the text of its images, line by line where it streams. */
export async function readImages(
  pool: ModelPool,
  pooled: PooledModel<OcrSpeech>,
  request: ChatRequest,
  context: AttemptContext,
  source: Pick<ImageSource, "hold" | "bounds">,
): Promise<Reply> {
  refuseOcr(request);
  const references = askedImages(request);
  for (const name of [...unsupportedOcr(request), ...unreadByOcr(request)])
    context.dropped.add(name);
  const held = await source.hold(references, context.signal);
  const images = held.images.map(({ bytes }, index) => ({
    bytes,
    param: references[index]?.param ?? "messages",
  }));
  const answer = new OcrAnswer(mostCharacters(request), context.prefill ?? "");
  context.signal.addEventListener("abort", held.letGo, { once: true });
  const asked = { images, bounds: source.bounds };
  const pieces = read(pool, pooled, asked, answer, context, held.letGo);
  const boxes = request.ocr?.boxes === true;
  return request.stream === true
    ? { kind: "stream", events: chunks(pieces, answer, boxes) }
    : whole(pieces, answer, boxes);
}

type Images = Omit<OcrSpeech["ask"], "what">;

/**
 * One image after the other, each in a turn of its own: between two of them others have theirs. Of several
 * all are decoded first, so that none is read where one can't be.
 */
async function byTurns(
  pool: ModelPool,
  pooled: PooledModel<OcrSpeech>,
  { images, bounds }: Images,
  context: AskContext,
  onEvent: (event: OcrEvent) => void,
): Promise<void> {
  const several = images.length > 1;
  const ask = (
    what: OcrSpeech["ask"]["what"],
    some: Images["images"],
    who: AskContext,
    tell: (event: OcrEvent) => void,
  ) =>
    inDecodeTime(some, who.signal, (signal, began, onEvent) =>
      askModel(
        pool,
        pooled,
        () => {
          began();
          return { what, images: some, bounds };
        },
        { ...who, signal },
        (event) => {
          onEvent(event);
          tell(event);
        },
      ),
    );
  if (several) await ask("check", images, context, () => undefined);
  for (const image of images)
    await ask("read", [image], { ...context, admitted: several }, onEvent);
}

/** The answer's text in pieces. Counts as it goes, and lets the rest be where the answer is full. */
async function* read(
  pool: ModelPool,
  pooled: PooledModel<OcrSpeech>,
  asked: Images,
  answer: OcrAnswer,
  context: AttemptContext,
  letGo: () => void,
): AsyncGenerator<string, void, void> {
  const { meter } = context;
  const stop = new AbortController();
  const events = new GroupStream<OcrEvent>(() => stop.abort());
  const signal = AbortSignal.any([context.signal, stop.signal]);
  byTurns(pool, pooled, asked, { ...context, signal }, (event) => events.push(event))
    .finally(letGo)
    .then(
      () => events.close(),
      (error: unknown) => events.fail(error, context.signal.aborted),
    );
  for await (const group of events) {
    const text = group.map((event) => answer.push(event)).join("");
    meter.source = "counted";
    meter.promptTokens = answer.promptTokens;
    meter.completionTokens = answer.completionTokens;
    meter.imagesRead = answer.images.length;
    meter.pixels = answer.pixels;
    if (text !== "" && meter.firstTokenAt === 0) meter.firstTokenAt = performance.now();
    if (text !== "") yield text;
    if (answer.isFull) return;
  }
}

async function whole(
  pieces: AsyncIterable<string>,
  answer: OcrAnswer,
  boxes: boolean,
): Promise<Reply> {
  let content = "";
  for await (const piece of pieces) content += piece;
  const message = { role: "assistant", content, refusal: null, ...extended(answer, boxes) };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: answer.finish }];
  return { kind: "json", body: { choices, usage: answer.usage }, usage: answer.usage };
}

async function* chunks(
  pieces: AsyncIterable<string>,
  answer: OcrAnswer,
  boxes: boolean,
): AsyncGenerator<readonly ChatChunkBody[], void, void> {
  let begun = false;
  for await (const content of pieces) {
    yield begun
      ? [chunk({ content })]
      : [chunk({ role: "assistant", content: "" }), chunk({ content })];
    begun = true;
  }
  const last = [
    chunk(extended(answer, boxes), answer.finish),
    { choices: [], usage: answer.usage },
  ];
  yield begun ? last : [chunk({ role: "assistant", content: "" }), ...last];
}

/** Where each line stands, for those who asked. */
function extended(answer: OcrAnswer, boxes: boolean): JsonObject {
  return boxes ? { ocr: { images: answer.images } } : {};
}

function chunk(
  delta: ChatChunkBody["choices"][number]["delta"],
  finish: "stop" | "length" | null = null,
): ChatChunkBody {
  return { choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] };
}
