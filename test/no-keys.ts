import type { KeyStore } from "../src/types.ts";

const nobodyAsks = (): never => {
  throw new Error("nobody asks for keys");
};

/** For servers of tests that have no keys. */
export const NO_KEYS: KeyStore = {
  create: nobodyAsks,
  list: nobodyAsks,
  find: nobodyAsks,
  update: nobodyAsks,
  rotate: nobodyAsks,
  disable: nobodyAsks,
  enable: nobodyAsks,
  revoke: nobodyAsks,
};
