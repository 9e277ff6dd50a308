import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { UpscaleAnswer } from "../../src/contract/upscale.ts";
import { imageFacts } from "../../src/images/facts.ts";
import { startCovey, type TestCovey } from "../covey.ts";
import { callIdOf, endedRow, post, until } from "../e2e/wire.ts";
import { pngOf } from "../images.ts";

/** A gateway has images enlarged by another Covey, whose models are the same as its own. */

setDefaultTimeout(60_000);

let maker: TestCovey;
let gateway: TestCovey;
beforeAll(async () => {
  maker = await startCovey();
  gateway = await startCovey({
    toml: `[engine]\npreload = false\n[providers.covey]\nbase_url = "${maker.url}/v1"\n`,
  });
  await until(async () => {
    const answer = await fetch(`${gateway.url}/v1/models/covey/esrgan-medium`);
    return Object(await answer.json()).providers?.includes("covey") ? true : null;
  }, "its list is there");
});
afterAll(async () => {
  await gateway.close();
  await maker.close();
});

test.each([
  [{ upscaler_1: "ESRGAN-medium_2x" }, "ESRGAN-medium_2x", 2],
  [{ upscaler_1: "Nearest", upscaling_resize: 3 }, "Nearest", 3],
  [{ model: "esrgan-medium", upscaling_resize: 1.5 }, "ESRGAN-medium_4x", 1.5],
])("all of %j is its to do", async (fields, upscaler, factor) => {
  const image = pngOf(16, 16).toString("base64");
  const provider = { only: ["covey"] };
  const body = { image, format: "jpeg", quality: 70, provider, ...fields };
  const answer = await post(`${gateway.url}/v1/upscale-img`, body);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("x-covey-provider")).toBe("covey");
  expect(answer.headers.get("x-covey-dropped-params")).toBeNull();
  const told = UpscaleAnswer.parse(await answer.json());
  const side = 16 * factor;
  expect(told.info).toMatchObject({ upscaler, scale_factor: factor, width: side, format: "jpeg" });
  expect(imageFacts(Uint8Array.fromBase64(told.image))).toMatchObject({
    type: "image/jpeg",
    width: side,
  });
  expect(await endedRow(gateway, callIdOf(answer))).toMatchObject({ provider: "covey", images: 1 });
});
