/** Times are Unix milliseconds. */
interface Dates {
  readonly expiresAt: number | null;
  readonly disabledAt: number | null;
  readonly revokedAt: number | null;
}

export type KeyState = "active" | "disabled" | "expired" | "revoked";

/** Whether a key opens at this moment, and if not, why: what can't be undone first. */
export function keyState({ expiresAt, disabledAt, revokedAt }: Dates, now: number): KeyState {
  if (revokedAt !== null) return "revoked";
  if (expiresAt !== null && expiresAt <= now) return "expired";
  return disabledAt === null ? "active" : "disabled";
}
