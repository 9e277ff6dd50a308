import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { truncateSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { type FakeHub, patternBytes, sha256, startFakeHub } from "../../test/catalog/fake-hub.ts";
import { UserError } from "../lib/user-error.ts";
import type { Progress } from "./download.ts";
import { readLock } from "./lock.ts";
import { type PullOptions, pullWeights } from "./pull.ts";

const reference = { repo: "owner/model-GGUF", revision: "main", file: "model-Q4_K_M.gguf" };
const key = "owner/model-GGUF@main/model-Q4_K_M.gguf";
const name = "owner--model-GGUF--model-Q4_K_M.gguf";
const SIZE = 3_000_000;

let folder: string;
let hub: FakeHub;
let retries: string[];
let progress: Progress[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "covey-pull-"));
  hub = await startFakeHub(patternBytes(SIZE));
  retries = [];
  progress = [];
});

afterEach(async () => {
  await hub[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

function pull(options: Partial<PullOptions> = {}) {
  return pullWeights({
    reference,
    sha256: null,
    folder,
    hub: { endpoint: hub.endpoint, token: null },
    update: false,
    signal: new AbortController().signal,
    onProgress: (each) => progress.push(each),
    retry: {
      attempts: 3,
      delay: () => 0,
      sleep: async () => undefined,
      stallTimeout: 10_000,
      onRetry: (reason) => retries.push(reason),
    },
    ...options,
  });
}

const ranges = () => hub.cdnRequests.map((request) => request.headers.range ?? null);
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => "it succeeded",
    (error: unknown) => (error instanceof UserError ? error.message : `not a UserError: ${error}`),
  );

test("a file is downloaded, verified, named and locked, and nothing else is left", async () => {
  const pulled = await pull();
  expect(pulled).toEqual({
    path: path.join(folder, name),
    size: SIZE,
    sha256: sha256(hub.file),
    commit: hub.commit,
    downloaded: true,
  });
  expect(await readFile(pulled.path)).toEqual(Buffer.from(hub.file));
  expect((await readLock(folder))[key]).toEqual({
    commit: hub.commit,
    sha256: sha256(hub.file),
    size: SIZE,
  });
  expect((await readdir(folder)).sort()).toEqual([
    "lock.json",
    name,
    name.replace(/\.gguf$/, ".verified.json"),
  ]);
  expect(progress.at(-1)).toEqual({ phase: "downloading", done: SIZE, total: SIZE });
});

test("a second pull asks nobody", async () => {
  await pull();
  const asked = hub.hubRequests.length;
  expect((await pull()).downloaded).toBe(false);
  expect(hub.hubRequests.length).toBe(asked);
});

test("the bytes are asked for at the commit that the hash was told for", async () => {
  await pull();
  expect(hub.hubRequests.map(({ method, url }) => [method, url])).toEqual([
    ["HEAD", "/owner/model-GGUF/resolve/main/model-Q4_K_M.gguf"],
    ["GET", `/owner/model-GGUF/resolve/${hub.commit}/model-Q4_K_M.gguf`],
  ]);
});

test("the token goes to the hub and never to the host that a redirect names", async () => {
  hub.token = "hf_secret";
  await pull({ hub: { endpoint: hub.endpoint, token: "hf_secret" } });
  expect(hub.hubRequests.map((request) => request.headers.authorization)).toEqual([
    "Bearer hf_secret",
    "Bearer hf_secret",
  ]);
  expect(hub.cdnRequests.length).toBe(1);
  for (const request of hub.cdnRequests)
    expect(JSON.stringify(request.headers)).not.toContain("hf_secret");
});

test("a dropped connection is gone on with where it broke", async () => {
  hub.cuts = [1_000_000];
  await pull();
  expect(retries.length).toBe(1);
  const [first, second] = ranges();
  expect(first).toBeNull();
  expect(Number(/^bytes=(\d+)-$/.exec(second ?? "")?.[1])).toBeGreaterThan(0);
  expect(hub.cdnRequests[1]?.headers["if-range"]).toBe(`"${sha256(hub.file).slice(0, 16)}"`);
  expect(await readFile(path.join(folder, name))).toEqual(Buffer.from(hub.file));
});

test("a connection that stalls counts as dropped", async () => {
  hub.hangs = [1_000_000];
  await pull({
    retry: {
      attempts: 3,
      delay: () => 0,
      sleep: async () => undefined,
      stallTimeout: 150,
      onRetry: (reason) => retries.push(reason),
    },
  });
  expect(retries).toEqual(["the connection stalled"]);
});

test("an interrupted pull leaves its part, and the next one goes on from it", async () => {
  hub.hangs = [1_500_000];
  const stop = new AbortController();
  const interrupted = pull({
    signal: stop.signal,
    onProgress: ({ done }) => {
      if (done >= 1_000_000) stop.abort();
    },
  });
  await expect(interrupted).rejects.toThrow();
  const left = (await stat(path.join(folder, `${name}.part`))).size;
  expect(left).toBeGreaterThanOrEqual(1_000_000);

  await pull();
  expect(ranges().at(-1)).toBe(`bytes=${left}-`);
  expect(progress[0]?.phase).toBe("checking");
  expect(await readFile(path.join(folder, name))).toEqual(Buffer.from(hub.file));
});

test("a server that ignores Range is read from the start", async () => {
  hub.cuts = [1_000_000];
  hub.ignoresRange = true;
  await pull();
  expect(await readFile(path.join(folder, name))).toEqual(Buffer.from(hub.file));
});

test("a part of another version of the file is not gone on with", async () => {
  hub.hangs = [1_500_000];
  const stop = new AbortController();
  const onProgress = ({ done }: Progress) => {
    if (done >= 1_000_000) stop.abort();
  };
  await expect(pull({ signal: stop.signal, onProgress })).rejects.toThrow();
  hub.file = patternBytes(SIZE).reverse();
  hub.sha256 = sha256(hub.file);
  await pull();
  expect(ranges().at(-1)).toBeNull();
  expect(await readFile(path.join(folder, name))).toEqual(Buffer.from(hub.file));
});

test("a damaged part is found out, removed, and named by both hashes", async () => {
  hub.hangs = [1_500_000];
  const stop = new AbortController();
  const onProgress = ({ done }: Progress) => {
    if (done >= 1_000_000) stop.abort();
  };
  await expect(pull({ signal: stop.signal, onProgress })).rejects.toThrow();
  const part = path.join(folder, `${name}.part`);
  const bytes = await readFile(part);
  bytes[500] = (bytes[500] ?? 0) ^ 0xff;
  await writeFile(part, bytes);

  expect(await failure(pull())).toContain(sha256(hub.file));
  expect(await readdir(folder)).toEqual([]);
  expect((await pull()).downloaded).toBe(true);
});

test("wrong bytes never get the file's name", async () => {
  const announced = "0".repeat(64);
  hub.sha256 = announced;
  const message = await failure(pull());
  expect(message).toContain(announced);
  expect(message).toContain(sha256(hub.file));
  expect(await readdir(folder)).toEqual([]);
});

test("more bytes than were announced are refused", async () => {
  const { file } = hub;
  hub.file = file.subarray(0, 1_000);
  hub.sha256 = sha256(hub.file);
  const freeBytes = async () => {
    hub.file = file;
    return 1e12;
  };
  expect(await failure(pull({ freeBytes }))).toContain(
    "of 1000 bytes: the server sends more bytes than the file has",
  );
});

test("it gives up after failures without progress, and says how to go on", async () => {
  hub.failures = [503, 503, 503, 503];
  expect(await failure(pull())).toMatch(
    /stopped after 0 of 3000000 bytes.*answers 503.*goes on from there/,
  );
  expect(hub.cdnRequests.length).toBe(3);
});

describe("the lock", () => {
  test("a hub that offers another file under the locked revision is refused", async () => {
    await pull();
    const first = sha256(hub.file);
    await rm(path.join(folder, name));
    hub.file = patternBytes(SIZE).reverse();
    hub.sha256 = sha256(hub.file);
    const message = await failure(pull());
    expect(message).toContain(first);
    expect(message).toContain(hub.sha256);
    expect(message).toContain("--update");
    expect(await readdir(folder)).not.toContain(name);
  });

  test("--update takes the new file and locks it", async () => {
    await pull();
    hub.file = patternBytes(SIZE).reverse();
    hub.sha256 = sha256(hub.file);
    hub.commit = "b".repeat(40);
    expect((await pull({ update: true })).downloaded).toBe(true);
    expect((await readLock(folder))[key]?.commit).toBe(hub.commit);
    expect(await readFile(path.join(folder, name))).toEqual(Buffer.from(hub.file));
  });

  test("a lost file comes back from the locked commit, not from what main is now", async () => {
    await pull();
    await rm(path.join(folder, name));
    const locked = hub.commit;
    hub.hubRequests.length = 0;
    await pull();
    expect(hub.hubRequests.map(({ url }) => url)).toEqual([
      `/owner/model-GGUF/resolve/${locked}/model-Q4_K_M.gguf`,
      `/owner/model-GGUF/resolve/${locked}/model-Q4_K_M.gguf`,
    ]);
  });

  test("a sha256 in the model file is the only one accepted", async () => {
    expect(await failure(pull({ sha256: "1".repeat(64) }))).toContain("its model file wants");
    expect(hub.cdnRequests.length).toBe(0);
  });
});

describe("what the hub refuses is one clear line", () => {
  test.each([
    [401, "GatedRepo", /gated: accept its terms at .*owner\/model-GGUF, then set HF_TOKEN/],
    [403, "GatedRepo", /gated: accept its terms/],
    [401, "RepoNotFound", /no repository owner\/model-GGUF .* or it is private/],
    [404, "RepoNotFound", /no repository owner\/model-GGUF/],
    [404, "EntryNotFound", /no file model-Q4_K_M\.gguf at main/],
    [404, "RevisionNotFound", /no revision main/],
    [404, undefined, /there is no owner\/model-GGUF@main\/model-Q4_K_M\.gguf/],
    [403, undefined, /wants a token for owner\/model-GGUF/],
  ])("%p %p", async (status, code, expected) => {
    hub.refusal = code === undefined ? { status } : { status, code };
    const message = await failure(pull());
    expect(message).toMatch(expected);
    expect(message).not.toContain("\n");
    expect(hub.hubRequests.length).toBe(1);
  });
});

test("a hub that cannot be reached is one clear line that names the way out", async () => {
  const gone = hub.endpoint;
  await hub[Symbol.asyncDispose]();
  const host = new URL(gone).host;
  expect(await failure(pull())).toBe(
    `the hub cannot be reached: ${host}: nothing listens there; HF_ENDPOINT names another hub (now ${gone})`,
  );
  expect(retries.length).toBe(2);
});

test("a hub that is overloaded is asked three times, then left for later", async () => {
  hub.refusal = { status: 503 };
  expect(await failure(pull())).toMatch(/^127\.0\.0\.1:\d+ answers 503: try again later$/);
  expect(hub.hubRequests.length).toBe(3);
});

test("a full disk is told before the first byte", async () => {
  expect(await failure(pull({ freeBytes: async () => 1_000 }))).toMatch(
    /0\.00 GB free and the download needs 0\.07 GB/,
  );
  expect(hub.cdnRequests.length).toBe(0);
});

test("a redirect to anything but http is not followed", async () => {
  hub.redirect = "file:///etc/passwd";
  expect(await failure(pull())).toContain("not safe to follow");
});

test("a hub that only sends on and on is left", async () => {
  hub.redirect = `${hub.endpoint}/again`;
  expect(await failure(pull())).toContain("more than 5 times");
});

test("a link out of the folder is not written through", async () => {
  const outside = await mkdtemp(path.join(os.tmpdir(), "covey-outside-"));
  const victim = path.join(outside, "victim");
  await writeFile(victim, "precious");
  await symlink(victim, path.join(folder, `${name}.part`));
  expect(await failure(pull())).toContain("leads out of the models folder");
  expect(await readFile(victim, "utf8")).toBe("precious");
  await rm(outside, { recursive: true });
});

test("while a file is pulled a second pull of it is refused; what a dead one left stops nobody", async () => {
  await writeFile(path.join(folder, `${name}.lock`), String(process.ppid));
  hub.hangs = [1_000_000];
  const stop = new AbortController();
  const begun = Promise.withResolvers<void>();
  const first = pull({ signal: stop.signal, onProgress: () => begun.resolve() });
  await begun.promise;
  expect(await failure(pull())).toBe(`this process (${process.pid}) is already pulling ${key}`);
  stop.abort(new UserError("stopped"));
  expect(await failure(first)).toBe("stopped");
  expect((await pull()).downloaded).toBe(true);
});

test("when something else writes into the part, the bytes on disk are what is checked", async () => {
  let isCut = false;
  const cut = ({ done }: Progress) => {
    if (isCut || done < 1_000_000) return;
    isCut = true;
    truncateSync(path.join(folder, `${name}.part`), 500_000);
  };
  expect(await failure(pull({ onProgress: cut }))).toMatch(
    /^the download is not the file the hub announced: sha256 [0-9a-f]{64}/,
  );
  expect(await readdir(folder)).toEqual([]);
  expect((await pull()).downloaded).toBe(true);
});
