import { expect, test } from "bun:test";
import { GatewayError } from "../../contract/errors.ts";
import { pictureVoice } from "./voice-playground.ts";

const about = (param: string) => {
  const error = new GatewayError("invalid_request", `Invalid value for '${param}': no image.`, {
    param,
  });
  return pictureVoice.errorBody(error, null).error;
};

test.each([
  ["messages[0].content[1].image_url.url", "image"],
  ["messages[0].content[2].image_url.url", "image[1]"],
  ["messages", "image"],
  ["model", "model"],
])("of a caller who only sends pictures, %s is %s, in words too", (ours, theirs) => {
  expect(about(ours)).toMatchObject({
    message: `Invalid value for '${theirs}': no image.`,
    param: theirs,
  });
});

test("a stream that fails names no conversation either", () => {
  const error = new GatewayError("invalid_request", "Bad.", {
    param: "messages[0].content[3].image_url.url",
  });
  const broken = { stamp: {}, openChoices: [0] };
  expect(pictureVoice.errorEvent(error, null, broken)).toMatchObject({
    error: { param: "image[2]" },
  });
});
