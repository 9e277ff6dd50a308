import type { ErrorBody, GatewayError } from "../../contract/errors.ts";
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

/**
 * The same where a caller sent pictures: the conversation around them is ours, and no error names it.
 * @param several whether a list of them was sent, as far as is known when something is told
 */
export function picturesVoice(several: () => boolean): Voice {
  return {
    ...playgroundVoice,
    errorBody: (failure) => ({ success: false, error: aboutPicture(failure, several()) }),
    errorEvent: (failure) => ({ error: aboutPicture(failure, several()) }),
  };
}

/** Of one picture. */
export const pictureVoice: Voice = picturesVoice(() => false);

/** Where our conversation has its pictures: behind the words. */
const PLACE = /messages\[0\]\.content\[(\d+)\](?:\.image_url(?:\.url)?)?/g;

/** The error with the places that the caller knows: `image`, and in a list `image[1]` for the second. */
function aboutPicture(failure: GatewayError, several: boolean): ErrorBody["error"] {
  const { error } = failure.toBody();
  const renamed = (text: string): string =>
    text
      .replace(PLACE, (_, part: string) => (several ? `image[${+part - 1}]` : "image"))
      .replaceAll("'messages'", "'image'");
  const param = error.param === null ? null : renamed(error.param);
  return {
    ...error,
    message: renamed(error.message),
    param: param?.startsWith("messages") === true ? "image" : param,
  };
}

function textOf({ choices }: JsonObject): string {
  const first: unknown = Array.isArray(choices) ? choices[0] : null;
  const content: unknown = Object(Object(first).message).content;
  return typeof content === "string" ? content : "";
}
