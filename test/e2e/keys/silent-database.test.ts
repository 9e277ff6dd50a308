import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readiness } from "../../../src/contract/health.ts";
import { type CoveyProcess, spawnCovey } from "../../covey.ts";
import { fakeUpstream } from "../../fake-upstream.ts";
import { hasPostgres, Postgres } from "../../postgres.ts";
import { FAKE_KEY, fakeConfig, until } from "../wire.ts";
import { ADMIN_KEY, admin, chat, jsonOf, makeKey } from "./made.ts";

/** What keys are worth while nobody can say whether they still hold. */

const SECRET = "0123456789abcdef0123456789abcdef";

test.skipIf(!hasPostgres)(
  "while the keys' database is down the known ones go on, it is said, and past the limit none does",
  async () => {
    const upstream = fakeUpstream();
    const folder = mkdtempSync(join(tmpdir(), "covey-silent-"));
    const postgres = await Postgres.start();
    const running: CoveyProcess[] = [];
    const serve = async (name: string, keys: string): Promise<CoveyProcess> => {
      const config = join(folder, `${name}.toml`);
      writeFileSync(config, fakeConfig(upstream, ["echo"], `[keys]\n${keys}\n`));
      const covey = await spawnCovey(["--home", join(folder, name), "--config", config], {
        ...{ FAKE_KEY, COVEY_ADMIN_KEY: ADMIN_KEY, COVEY_SECRET: SECRET },
        DATABASE_URL: postgres.url(),
      });
      running.push(covey);
      return covey;
    };
    const status = async (covey: CoveyProcess, key: string) =>
      (await chat(covey, key, "echo")).status;
    const ready = async (covey: CoveyProcess) => {
      const headers = { authorization: `Bearer ${ADMIN_KEY}` };
      const answer = await fetch(`${covey.url}/health/ready`, { headers });
      return { status: answer.status, ...(await jsonOf<Readiness>(answer)).keys };
    };
    try {
      const patient = await serve("patient", 'stale_after = "5m"');
      const strict = await serve("strict", 'stale_after = "3s"\nrefuse_stale = true');
      const { id, key } = await makeKey(patient);
      await until(async () => ((await status(strict, key)) === 200 ? true : null), "it is known");
      expect(await ready(strict)).toEqual({ status: 200, ok: true, detail: null });

      await postgres.crash();
      const detail = await until(async () => (await ready(patient)).detail, "readiness tells");
      expect(detail).toContain("has not answered for");
      expect(await status(patient, key)).toBe(200);
      expect(await ready(patient)).toMatchObject({ status: 200, ok: true });
      await until(async () => ((await status(strict, key)) === 503 ? true : null), "stale");
      expect(await status(strict, "no key at all")).toBe(503);
      expect(await status(strict, ADMIN_KEY)).toBe(200);
      expect(await ready(strict)).toMatchObject({ status: 503, ok: false });
      expect((await admin(patient, `/${id}/revoke`, {})).status).toBe(503);

      // One that starts now has never known a key: none opens, and none is taken for anonymous.
      const late = await serve("late", 'stale_after = "5m"');
      expect([await status(late, key), await status(late, "no key at all")]).toEqual([503, 503]);
      expect(await status(late, ADMIN_KEY)).toBe(200);

      await postgres.run();
      for (const covey of running) {
        await until(async () => ((await status(covey, key)) === 200 ? true : null), "it is back");
      }
      expect((await admin(late, `/${id}/revoke`, {})).status).toBe(200);
      for (const covey of running) {
        await until(async () => ((await status(covey, key)) === 401 ? true : null), "revoked");
        expect(await ready(covey)).toMatchObject({ status: 200, ok: true, detail: null });
      }
    } finally {
      for (const covey of running) await covey.end();
      await upstream.close();
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
  120_000,
);
