import type { CoveyProcess, TestCovey } from "../../covey.ts";
import { ROOT } from "../../covey.ts";
import { chatBody, post } from "../wire.ts";

/** Keys in the tests: made, sent, and taken away. */

export const ADMIN_KEY = "sk-admin-fedcba9876543210fedcba98";
export const ADMIN = { authorization: `Bearer ${ADMIN_KEY}` };

export interface Made {
  readonly id: string;
  readonly key: string;
  readonly prefix: string;
  readonly headers: { readonly authorization: string };
}

type Server = Pick<TestCovey, "url"> | CoveyProcess;

export const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

/** Asks the admin API; any body makes it a POST. */
export function admin(server: Server, path: string, body?: object): Promise<Response> {
  const url = `${server.url}/admin/v1/keys${path}`;
  return body === undefined ? fetch(url, { headers: ADMIN }) : post(url, body, { headers: ADMIN });
}

/** The JSON of an answer. */
export async function jsonOf<T>(answer: Response | Promise<Response>): Promise<T> {
  return JSON.parse(await (await answer).text());
}

export async function makeKey(server: Server, settings: object = {}): Promise<Made> {
  const answer = await admin(server, "", { name: "test", ...settings });
  const body = await jsonOf<Omit<Made, "headers">>(answer);
  if (answer.status !== 200) throw new Error(JSON.stringify(body));
  return { ...body, headers: bearer(body.key) };
}

export const chat = (server: Server, key: string, model: string, fields: object = {}) =>
  post(`${server.url}/v1/chat/completions`, chatBody(model, "hi", fields), {
    headers: bearer(key),
  });

export interface Said {
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

/** `covey keys …` in a process of its own. */
export async function coveyKeys(
  home: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Said> {
  const child = Bun.spawn(
    [process.execPath, "--env-file=bin/runtime.env", "src/main.ts", "keys", ...args],
    {
      cwd: ROOT,
      env: { PATH: process.env.PATH ?? "", HOME: home, COVEY_HOME: home, ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, err, code };
}
