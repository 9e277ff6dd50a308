import { ChatResponse } from "../../src/contract/chat.ts";
import type { TestCovey } from "../covey.ts";

export interface ReadText {
  readonly text: string;
  readonly status: number;
  /** The whole answer. */
  readonly body: unknown;
}

/** Asks `covey/ocr` for the text of an image, by a chat as any client sends it. */
export async function readBack(
  { url }: TestCovey,
  images: readonly Uint8Array[],
  more: { readonly [name: string]: unknown } = {},
): Promise<ReadText> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "covey/ocr", messages: [userMessage(images)], ...more }),
  });
  const body: unknown = await response.json();
  const answer = ChatResponse.safeParse(body).data;
  return { text: answer?.choices[0]?.message.content ?? "", status: response.status, body };
}

export function userMessage(images: readonly Uint8Array[]) {
  const content = images.map((bytes) => ({
    type: "image_url",
    image_url: { url: `data:image/png;base64,${bytes.toBase64()}` },
  }));
  return { role: "user", content };
}
