import { expect, test } from "bun:test";
import { GroupStream } from "../lib/group-stream.ts";
import { lastOf } from "./ask-model.ts";

test("each event is told as it comes, and the last one is the answer", async () => {
  const groups = new GroupStream<string>(() => undefined);
  const told: string[] = [];
  let seen = Promise.withResolvers<void>();
  const last = lastOf(groups, (event) => {
    told.push(event);
    seen.resolve();
  });
  groups.push("first line");
  await seen.promise;
  expect(told).toEqual(["first line"]);
  seen = Promise.withResolvers<void>();
  groups.push("second line");
  await seen.promise;
  expect(told).toEqual(["first line", "second line"]);
  groups.push("done");
  groups.close();
  expect(await last).toBe("done");
});

test("a model that ends without a word has failed", async () => {
  const groups = new GroupStream<string>(() => undefined);
  groups.close();
  await expect(lastOf(groups, () => undefined)).rejects.toThrow("stopped unexpectedly");
});
