import type { JsonObject } from "../../types.ts";
import { openAiVoice, type Voice } from "./voice.ts";

/**
 * OpenAI's dialect for the playground's own pages: an answer says that it is one, and has its text in
 * `data.content`; an error says that there is none.
 */
export const playgroundVoice: Voice = {
  ...openAiVoice,
  errorBody: (error) => ({ success: false, ...error.toBody() }),
  whole: (body) => ({ ...body, success: true, data: { content: textOf(body) } }),
};

/** The same where a caller sent a picture: the conversation around it is ours, and no error names it. */
export const pictureVoice: Voice = {
  ...playgroundVoice,
  errorBody: (failure) => {
    const { error } = failure.toBody();
    const isOurs = error.param?.startsWith("messages") === true;
    return { success: false, error: isOurs ? { ...error, param: "image" } : error };
  },
};

function textOf({ choices }: JsonObject): string {
  const first: unknown = Array.isArray(choices) ? choices[0] : null;
  const content: unknown = Object(Object(first).message).content;
  return typeof content === "string" ? content : "";
}
