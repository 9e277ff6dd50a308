import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { startCovey, type TestCovey } from "../covey.ts";
import { type FakeUpstream, fakeUpstream } from "../fake-upstream.ts";
import { callIdOf, chatBody, endedRow, FAKE_KEY, fakeConfig, post, readStream } from "./wire.ts";

/** What strangers, odd clients and old load balancers send, and that it harms nobody. */

let upstream: FakeUpstream;
let covey: TestCovey;
beforeAll(async () => {
  upstream = fakeUpstream();
  const more =
    '[server]\ncors_origins = ["https://app.example.com"]\n[limits.anonymous]\nconcurrency = 4\n';
  covey = await startCovey({ toml: fakeConfig(upstream, ["echo"], more), env: { FAKE_KEY } });
});
afterAll(async () => {
  await covey.close();
  await upstream.close();
});

/** Sends bytes as they are and gives back all that comes until the other side closes. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(covey.url).port), "127.0.0.1");
    let answer = "";
    socket.on("data", (bytes) => {
      answer += bytes;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
    socket.write(text);
  });
}

const CHAT = "/v1/chat/completions";

test("names of unknown fields can neither break the answer nor keep a place for ever", async () => {
  const names = ["ключ", "a\r\nset-cookie: x=1", "valueOf", "hasOwnProperty", "constructor"];
  for (const name of names) {
    for (const stream of [true, false]) {
      const body = chatBody("echo", "hello", { stream, transforms: ["middle-out"], [name]: 1 });
      const answer = await post(`${covey.url}${CHAT}`, body);
      expect([name, answer.status]).toEqual([name, 200]);
      expect(answer.headers.get("set-cookie")).toBeNull();
      expect(answer.headers.get("x-covey-dropped-params")).toBe("transforms");
      if (stream) expect((await readStream(answer)).done).toBe(true);
      else await answer.json();
      expect(await endedRow(covey, callIdOf(answer))).toMatchObject({ status: "completed" });
    }
  }
});

test("what a stream is asked to have, and has not, is told", async () => {
  const stream_options = { include_usage: true, continuous_usage_stats: true, zzz: 1 };
  const body = chatBody("echo", "hello", { stream: true, stream_options });
  const answer = await post(`${covey.url}${CHAT}`, body);
  expect(answer.headers.get("x-covey-dropped-params")).toBe(
    "stream_options.continuous_usage_stats, stream_options.zzz",
  );
  expect((await readStream(answer)).done).toBe(true);
});

describe("what no address can be made of", () => {
  test("a health check of HTTP/1.0 without a Host is answered", async () => {
    expect(await raw("GET /health HTTP/1.0\r\n\r\n")).toMatch(
      /^HTTP\/1.. 200 [\s\S]*"status":"ok"/,
    );
  });

  for (const host of ["a b", "[::", "%zz", "127.0.0.1:99999", "a[b"]) {
    test(`Host: ${host} is a 400 in our shape, not the runtime's page`, async () => {
      for (const line of ["GET /nope", "GET /health", `POST ${CHAT}`]) {
        const answer = await raw(`${line} HTTP/1.0\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`);
        expect(answer).toMatch(/^HTTP\/1.. 4\d\d /);
        expect(answer).not.toContain("<html");
        expect(answer).not.toContain(import.meta.dir);
      }
    });
  }
});

test("a page of a listed origin may send the headers its SDK adds", async () => {
  const asked = "authorization,content-type,x-stainless-os,x-stainless-retry-count";
  const preflight = (origin: string) =>
    fetch(`${covey.url}${CHAT}`, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": asked,
      },
    });
  const listed = await preflight("https://app.example.com");
  expect(listed.headers.get("access-control-allow-origin")).toBe("https://app.example.com");
  expect(listed.headers.get("access-control-allow-headers")).toBe(asked);
  const other = await preflight("https://evil.example");
  expect(other.headers.get("access-control-allow-origin")).toBeNull();
});

test("details of what is not ready are for those who may call", async () => {
  const ask = async (headers: Record<string, string>) =>
    (await (await fetch(`${covey.url}/health/ready`, { headers })).json()) as {
      models: { detail: string | null }[];
    };
  const local = await ask({});
  expect(local.models.some(({ detail }) => detail !== null)).toBe(true);
  const stranger = await ask({ "x-forwarded-for": "10.1.2.3" });
  expect(stranger.models.length).toBe(local.models.length);
  expect(stranger.models.every(({ detail }) => detail === null)).toBe(true);
});

describe("a path that is nearly right", () => {
  const hints: [path: string, hint: string][] = [
    ["/v1/v1/chat/completions", "Did you mean /v1/chat/completions?"],
    ["/v1/chat/completions/", "Did you mean /v1/chat/completions?"],
    ["/chat/completions", "Did you mean /v1/chat/completions?"],
    ["//v1//chat/completions", "Did you mean /v1/chat/completions?"],
    ["/v1/responses", "not there in this version"],
    ["/v1/img-samplers", "not there in this version"],
    ["/v1/img-options", "not there in this version"],
  ];
  for (const [path, hint] of hints) {
    test(`${path}: ${hint}`, async () => {
      const answer = await post(`${covey.url}${path}`, {});
      expect(answer.status).toBe(404);
      const { error } = (await answer.json()) as { error: { message: string } };
      expect(error.message).toContain(hint);
    });
  }

  test("a wrong method is told the right one", async () => {
    const answer = await fetch(`${covey.url}${CHAT}`);
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST"]);
  });
});

test("somebody who opens the address in a browser learns what it is", async () => {
  expect(await (await fetch(`${covey.url}/`)).text()).toContain("OpenAI-compatible");
  for (const page of ["", "/", "/errors", "/errors.md", "/keys"]) {
    expect((await fetch(`${covey.url}/docs${page}`)).status).toBe(200);
  }
  expect((await fetch(`${covey.url}/docs/..%2fpackage.json`)).status).toBe(404);
});

test("a mistake and a stranger are each logged under who it was", async () => {
  // Of its own: past twenty refusals a second they are counted, not listed.
  const quiet = await startCovey();
  try {
    const bad = await fetch(`${quiet.url}/v1/models?sort=nope`);
    expect(bad.status).toBe(400);
    const proxied = await fetch(`${quiet.url}/v1/models`, { headers: { via: "1.1 proxy" } });
    expect(proxied.status).toBe(401);
    const keyOf = async (answer: Response) =>
      (await endedRow(quiet, answer.headers.get("x-request-id") ?? "")).key_id;
    expect([await keyOf(bad), await keyOf(proxied)]).toEqual(["anonymous", "unknown"]);
  } finally {
    await quiet.close();
  }
});
