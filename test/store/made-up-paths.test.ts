import { expect, test } from "bun:test";
import { startCovey } from "../covey.ts";
import { until } from "./calls-fixture.ts";

test("whatever paths strangers make up, below our own ones too, the counters have one name for them", async () => {
  const covey = await startCovey();
  const { calls } = covey.app.store;
  const get = async (path: string) => await (await fetch(`${covey.url}${path}`)).text();
  for (let n = 0; n < 40; n++) {
    const paths = [`/x${n}`, `/v1/models/x${n}`, `/docs/x${n}`, `/v1/files/${n}`];
    await Promise.all(paths.map(get));
  }
  await get("/v1/completions");
  const counted = async () => {
    const rows = (await calls.counters().catch(() => [])).filter((row) => row.status === "refused");
    return rows.reduce((sum, row) => sum + row.calls, 0);
  };
  await until(async () => (await counted()) === 161);
  const endpoints = (await calls.counters()).map((row) => row.endpoint);
  expect([...new Set(endpoints)].sort()).toEqual(["(unknown)", "/v1/completions"]);
  await covey.close();
}, 20_000);
