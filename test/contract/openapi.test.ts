import { describe, expect, test } from "bun:test";
import Ajv2020 from "ajv/dist/2020";
import { z } from "zod";
import { ENDPOINTS } from "../../src/contract/endpoints.ts";
import { API_INFO } from "../../src/contract/info.ts";
import { openapi } from "../../src/contract/openapi.ts";
import chat from "../contracts/fixtures/chat_completion.json";
import models from "../contracts/fixtures/models.json";

const Paths = z.record(
  z.string(),
  z.record(
    z.string(),
    z.object({
      operationId: z.string(),
      parameters: z.array(z.object({ name: z.string(), in: z.string() })).default([]),
    }),
  ),
);
const build = () => openapi(ENDPOINTS, API_INFO);
const document = build();
const text = JSON.stringify(document);

function at(path: string): unknown {
  let value: unknown = document;
  for (const part of path.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    value = typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
  }
  return value;
}

describe("openapi.json", () => {
  test("the committed file is what the contracts give", async () => {
    const file = await Bun.file(new URL("../../openapi.json", import.meta.url)).text();
    expect(file).toBe(`${JSON.stringify(document, null, 2)}\n`);
  });

  test("the same contracts give the same document", () => {
    expect(JSON.stringify(build())).toBe(text);
  });

  test("every reference resolves", () => {
    const references = [...text.matchAll(/"\$ref":"#([^"]+)"/g)].map(([, path]) => path ?? "");
    expect(references.length).toBeGreaterThan(20);
    for (const path of references) expect([path, typeof at(path)]).toEqual([path, "object"]);
  });

  test("every parameter of a path is declared, and every operation has a name of its own", () => {
    const names: unknown[] = [];
    for (const [path, item] of Object.entries(Paths.parse(document.paths))) {
      for (const operation of Object.values(item)) {
        names.push(operation.operationId);
        const declared = operation.parameters.filter((p) => p.in === "path");
        expect(declared.map((p) => `{${p.name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
      }
    }
    expect(new Set(names).size).toBe(names.length);
  });

  test("its schemas compile, and take what ours take", () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: "covey", ...document });
    for (const name of Object.keys(Object(at("/components/schemas")))) {
      expect(ajv.getSchema(`covey#/components/schemas/${name}`)).toBeFunction();
    }
    const takes = (name: string, value: unknown) =>
      ajv.getSchema(`covey#/components/schemas/${name}`)?.(value);
    expect(takes("ChatResponse", chat)).toBe(true);
    expect(takes("ModelList", models)).toBe(true);
    const request = { model: "m", messages: [{ role: "user", content: "Hi" }], extra: 1 };
    expect(takes("ChatRequest", request)).toBe(true);
    expect(takes("ChatRequest", { ...request, temperature: 3 })).toBe(false);
    expect(takes("ChatRequest", { ...request, messages: [{ role: "robot", content: "" }] })).toBe(
      false,
    );
  });

  test("what streams says so, and what needs a key says so", () => {
    expect(
      at("/paths/~1v1~1chat~1completions/post/responses/200/content/text~1event-stream"),
    ).toBeDefined();
    expect(at("/paths/~1health/get/security")).toEqual([]);
    expect(at("/paths/~1v1~1models/get/security")).toEqual([{ bearer: [] }]);
  });
});
