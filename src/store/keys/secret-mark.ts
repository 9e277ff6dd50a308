import { z } from "zod";
import { GatewayError } from "../../contract/errors.ts";
import type { Run } from "./key-store.ts";
import type { ServerSecret } from "./secret.ts";

/** How a process without the gateways' secret finds out, before it makes keys that open nothing. */

const TELL = `INSERT INTO server_secret (id, mark) VALUES (1, $1)
  ON CONFLICT (id) DO UPDATE SET mark = excluded.mark`;
const Marks = z.array(z.object({ mark: z.string() }));

/** Says which secret the gateways of this database have. */
export async function tellSecret(write: Run, { mark }: ServerSecret): Promise<void> {
  await write(TELL, [mark]);
}

/**
 * The gateways' word counts; before any has run, that of the keys there are.
 * @throws GatewayError 400 when keys made with this secret would open nothing
 */
export async function expectSameSecret(read: Run, { mark }: ServerSecret): Promise<void> {
  const told = Marks.parse(await read("SELECT mark FROM server_secret", []));
  const marks =
    told.length > 0
      ? told
      : Marks.parse(await read("SELECT DISTINCT secret_mark AS mark FROM keys", []));
  if (marks.length === 0 || marks.some((each) => each.mark === mark)) return;
  throw new GatewayError(
    "invalid_request",
    "The gateway of this database has another server secret, so a key made with this one would open nothing. Set COVEY_SECRET as the gateway has it; without one it has the file `secret` of its home folder.",
  );
}
