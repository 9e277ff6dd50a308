import { Database } from "bun:sqlite";
import { afterEach, expect, test } from "bun:test";
import { join } from "node:path";
import { tempFolder } from "../../../test/store/calls-fixture.ts";
import { GatewayError } from "../../contract/errors.ts";
import { Reader } from "./reader.ts";
import { Statement } from "./statement.ts";

const opened: Reader[] = [];
afterEach(async () => {
  for (const reader of opened.splice(0)) await reader.close();
});

function open(file: string, deadlineMs?: number): Reader {
  const reader = new Reader(file, deadlineMs);
  opened.push(reader);
  return reader;
}

const ONE = new Statement().add("SELECT 1 AS one");
/** Counts for minutes. */
const ENDLESS = new Statement().add(
  "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3000000) SELECT COUNT(*) FROM n, (SELECT 1 UNION SELECT 2)",
);
const failure = async (asked: Promise<unknown>): Promise<GatewayError> => {
  const error: unknown = await asked.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof GatewayError) return error;
  throw new Error(`no GatewayError: ${String(error)}`);
};

test("a database that is not there yet is a 503 without a path, and is read once it is", async () => {
  using folder = tempFolder();
  const file = join(folder.path, "covey.db");
  const reader = open(file);
  const error = await failure(reader.rows(ONE));
  expect(error.kind).toBe("unavailable");
  expect(`${error.message} ${String(error.cause)}`).not.toContain(folder.path);
  new Database(file, { create: true }).run("CREATE TABLE t (x)");
  expect(await reader.rows(ONE)).toEqual([{ one: 1 }]);
});

test("what takes too long is given up, and the next question is answered", async () => {
  using folder = tempFolder();
  const file = join(folder.path, "covey.db");
  new Database(file, { create: true }).run("CREATE TABLE t (x)");
  const reader = open(file, 300);
  const late = await failure(reader.rows(ENDLESS));
  expect(late.message).toContain("took more than 0.3 s");
  expect(await reader.rows(ONE)).toEqual([{ one: 1 }]);
});

test("nothing can be written through it", async () => {
  using folder = tempFolder();
  const file = join(folder.path, "covey.db");
  new Database(file, { create: true }).run("CREATE TABLE t (x)");
  const reader = open(file);
  await failure(reader.rows(new Statement().add("DROP TABLE t")));
  expect(await reader.rows(new Statement().add("SELECT COUNT(*) AS n FROM t"))).toEqual([{ n: 0 }]);
});

test("more questions than it holds are refused, and a closed one answers none", async () => {
  using folder = tempFolder();
  const file = join(folder.path, "covey.db");
  new Database(file, { create: true }).run("CREATE TABLE t (x)");
  const reader = open(file);
  const asked = Array.from({ length: 100 }, () =>
    reader.rows(ONE).then(
      () => "answered",
      (error: unknown) => (error instanceof GatewayError ? error.kind : "?"),
    ),
  );
  const kinds = await Promise.all(asked);
  expect(kinds.filter((kind) => kind === "answered").length).toBe(64);
  expect(kinds.filter((kind) => kind === "overloaded").length).toBe(36);
  await reader.close();
  expect((await failure(reader.rows(ONE))).kind).toBe("unavailable");
});
