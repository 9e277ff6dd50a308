import { expect, test } from "bun:test";
import { createServer } from "node:net";
import { networkReason } from "./network-reason.ts";

const reasonOf = (url: string): Promise<string> =>
  fetch(url).then((answer) => `it answered ${answer.status}`, networkReason);

test("what fetch says of a failed connection becomes words", async () => {
  const rude = createServer((socket) => socket.destroy());
  await new Promise<void>((done) => rude.listen(0, "127.0.0.1", done));
  const address = rude.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  expect(await reasonOf(url)).toBe("the connection was closed without an answer");
  await new Promise((done) => rude.close(done));
  expect(await reasonOf(url)).toBe("nothing listens there");
});

test("an error of another kind keeps its own message", () => {
  expect(networkReason(new Error("the disk is full"))).toBe("the disk is full");
  expect(networkReason("odd")).toBe("odd");
});
