import type { Key } from "../src/types.ts";

/** A key that may do everything, for tests to change what they are about. */
export const ANY_KEY: Key = {
  id: "key_1",
  prefix: "sk-covey-",
  name: "test",
  owner: "",
  role: "key",
  plan: null,
  models: null,
  endpoints: null,
  budget: null,
  tags: [],
  payloads: null,
  createdAt: 0,
  expiresAt: null,
  disabledAt: null,
  revokedAt: null,
};
