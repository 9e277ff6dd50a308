import { expect, test } from "bun:test";
import { idFor } from "./add.ts";
import { parseHubReference } from "./reference.ts";

function idOf(text: string, ...taken: string[]): string {
  const reference = parseHubReference(text);
  if (reference === undefined) throw new Error(`${text} is no reference`);
  return idFor(reference, (id) => taken.includes(id));
}

test("a pulled file is called after its owner and itself", () => {
  expect(idOf("me/repo/t-Q4_K_M.gguf")).toBe("me/t-Q4_K_M");
});

test("a name that another file has already gets the repository's in front", () => {
  expect(idOf("me/second/t.gguf", "me/t")).toBe("me/second-t");
  expect(idOf("me/second/q4/t.gguf", "me/t", "me/second-t")).toBe("me/second-q4-t");
});

test("when all of its names are taken, it says which file is in the way", () => {
  expect(() => idOf("me/second/t.gguf", "me/t", "me/second-t")).toThrow(
    "the model me/t is another file already: remove its model file first",
  );
});
