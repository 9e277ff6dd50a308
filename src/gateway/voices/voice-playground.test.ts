import { expect, test } from "bun:test";
import { GatewayError } from "../../contract/errors.ts";
import { picturesVoice } from "./voice-playground.ts";

const about = (param: string, several = true) => {
  const error = new GatewayError("invalid_request", `Invalid value for '${param}': no image.`, {
    param,
  });
  return picturesVoice(() => several).errorBody(error, null).error;
};

test.each([
  ["messages[0].content[1].image_url.url", "image[0]"],
  ["messages[0].content[2].image_url.url", "image[1]"],
  ["messages", "image"],
  ["model", "model"],
])("of a caller who only sends pictures, %s is %s, in words too", (ours, theirs) => {
  expect(about(ours)).toMatchObject({
    message: `Invalid value for '${theirs}': no image.`,
    param: theirs,
  });
});

test("a picture alone is 'image'", () => {
  const ours = "messages[0].content[1].image_url.url";
  expect(about(ours, false)).toMatchObject({
    message: "Invalid value for 'image': no image.",
    param: "image",
  });
});

test("a stream that fails names no conversation either", () => {
  const error = new GatewayError("invalid_request", "Bad.", {
    param: "messages[0].content[3].image_url.url",
  });
  const broken = { stamp: {}, openChoices: [0] };
  expect(picturesVoice(() => true).errorEvent(error, null, broken)).toMatchObject({
    error: { param: "image[2]" },
  });
});
