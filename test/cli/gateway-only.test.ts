import { afterAll, beforeAll, expect, test } from "bun:test";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

/** `npm install --omit=optional`: Covey's own files and every dependency but the optional ones. */

const project = path.resolve(import.meta.dir, "../..");
let folder: string;
let upstream: Bun.Server<undefined>;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "covey-gateway-only-"));
  for (const name of ["bin", "catalog", "docs", "package.json", "src"])
    await cp(path.join(project, name), path.join(folder, name), { recursive: true });
  await mkdir(path.join(folder, "node_modules"));
  const { dependencies }: { dependencies: Record<string, string> } = await Bun.file(
    path.join(project, "package.json"),
  ).json();
  for (const name of Object.keys(dependencies)) {
    const link = path.join(folder, "node_modules", name);
    await mkdir(path.dirname(link), { recursive: true });
    await symlink(path.join(project, "node_modules", name), link);
  }
  upstream = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => Response.json({ object: "list", data: [{ id: "some/model" }] }),
  });
});
afterAll(async () => {
  await upstream.stop(true);
  await rm(folder, { recursive: true, force: true });
});

async function covey(...args: string[]) {
  const child = Bun.spawn(["node", path.join(folder, "bin", "covey.mjs"), ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", COVEY_HOME: path.join(folder, "home"), COVEY_PORT: "0" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, err, code };
}

const config = (text: string) => writeFile(path.join(folder, "covey.toml"), text);

test("with a provider everything is right", async () => {
  const url = `http://127.0.0.1:${upstream.port}/v1`;
  await config(`[providers.box]\nbase_url = "${url}"\nmodels = [{ id = "some/model" }]\n`);
  const { out, code } = await covey("check");
  expect(out).toContain(
    "– engine: not installed, this is a gateway only; npm install adds it\n" +
      `✓ provider box: ${url} is reachable (1 model)\n`,
  );
  expect([code, out.includes("✗")]).toEqual([0, false]);

  const { out: table } = await covey("models");
  expect(table).toMatch(/^some\/model(?: +–)+ +at box$/m);
  expect(table).toMatch(/TinyLlama-1\.1B.* needs the embedded engine: npm install$/m);
});

test("without one nothing can answer, and both ways out are named", async () => {
  await config("");
  const { out, code } = await covey("check");
  expect(out).toContain("✗ weights: no model is ready: needs the embedded engine: npm install\n");
  expect(out).toContain(
    "✗ engine: not installed, so no model can run here: run npm install, or name a server that has models under [providers]\n",
  );
  expect(code).toBe(1);
});

test("an image for a model that is not there is answered with what to install or configure", async () => {
  await config("");
  const child = Bun.spawn(["node", path.join(folder, "bin", "covey.mjs"), "serve"], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", COVEY_HOME: path.join(folder, "home"), COVEY_PORT: "0" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  try {
    const url = await address(child.stdout, child.stderr);
    const image = { type: "image_url", image_url: { url: "https://example.com/a.png" } };
    const ask = async (model: string) => {
      const messages = [{ role: "user", content: [image] }];
      const body = JSON.stringify({ model, messages });
      const answer = await fetch(`${url}/v1/chat/completions`, { method: "POST", body });
      return { status: answer.status, body: await answer.text() };
    };
    for (const model of ["tinyllama", "covey/ocr", "google/gemma-3-27b-it"]) {
      const { status, body } = await ask(model);
      expect(status).toBe(404);
      expect(body).toContain("No model here takes images: configure a provider that has one");
      expect(body).toContain(
        "'covey/ocr', which reads the text in images, needs the packages onnxruntime-node and sharp: npm install.",
      );
    }
  } finally {
    child.kill();
    await child.exited;
  }
});

/** Where it listens, as it says when it starts. */
async function address(...outputs: readonly ReadableStream<Uint8Array>[]): Promise<string> {
  const found = outputs.map(async (output) => {
    let text = "";
    for await (const bytes of output) {
      text += new TextDecoder().decode(bytes);
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0];
      if (url !== undefined) return url;
    }
    throw new Error(`it did not start: ${text}`);
  });
  return Promise.any(found);
}
