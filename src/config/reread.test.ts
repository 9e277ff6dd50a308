import { expect, test } from "bun:test";
import { loadConfig } from "./load.ts";
import { needRestart } from "./reread.ts";

const loaded = (env: Record<string, string> = {}, flags = {}) =>
  loadConfig({ env, flags: { home: "/nowhere", ...flags }, cwd: "/" });

test("nothing needs a restart where nothing differs", () => {
  expect(needRestart(loaded(), loaded())).toEqual([]);
});

test("address, home and databases are named as people write them, never with their values", () => {
  const asked = loaded(
    { DATABASE_URL: "postgres://u:secret@h/d", HF_TOKEN: "hf_secret" },
    { port: "9", home: "/elsewhere" },
  );
  const names = needRestart(loaded(), asked);
  expect(names.toSorted()).toEqual(["DATABASE_URL", "home", "hub.token", "server.port"]);
});

test("what is applied is not named", () => {
  const started = loaded();
  const asked = {
    ...started,
    server: { ...started.server, maxBody: 1 },
    routing: { ...started.routing, attempts: 9 },
    stream: { firstByteDelay: 1, keepalive: 2 },
  };
  expect(needRestart(started, asked)).toEqual(["stream.keepalive"]);
});

test("whose images are fetched is applied; what they may be is not", () => {
  const started = loaded();
  const images = { ...started.images, allowHosts: ["media.internal"], maxPixels: 1 };
  expect(needRestart(started, { ...started, images })).toEqual(["images.max_pixels"]);
});
