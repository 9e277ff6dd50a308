import { expect, test } from "bun:test";
import { breaches } from "./imports.ts";

test("a folder that reaches past what it may import is named with file and line", () => {
  const text = 'import { z } from "zod";\nimport type { Call } from "../gateway/call.ts";\n';
  expect(breaches("store/journal.ts", text)).toEqual([
    {
      file: "store/journal.ts",
      line: 2,
      message: "store may not import gateway (../gateway/call.ts)",
    },
  ]);
});

test("only http may know the web framework, engines the llama library, images the image library", () => {
  expect(breaches("gateway/x.ts", 'import { Hono } from "hono";')).toHaveLength(1);
  expect(breaches("http/x.ts", 'import { Hono } from "hono";')).toHaveLength(0);
  expect(breaches("app.ts", 'const l = await import("node-llama-cpp");')).toHaveLength(1);
  expect(breaches("engines/ocr/x.ts", 'import sharp from "sharp";')).toHaveLength(1);
  expect(breaches("images/x.ts", 'const s = await import("sharp");')).toHaveLength(0);
});

test("the composition root may import everything of ours", () => {
  expect(breaches("app.ts", 'import { x } from "./gateway/pipeline.ts";')).toHaveLength(0);
});
