import { ACCOUNT } from "./account.ts";
import { ADMIN } from "./admin.ts";
import { ADMIN_KEYS } from "./admin-keys.ts";
import { ANALYTICS } from "./analytics.ts";
import { OPENROUTER } from "./openrouter.ts";
import { CONTRACTS, type Contract } from "./operations.ts";
import { PLAYGROUND } from "./playground.ts";
import { UPSCALE } from "./upscale.ts";

/** Every endpoint, in every dialect, as the documentation lists them. */
export const ENDPOINTS: readonly Contract[] = [
  ...Object.values(CONTRACTS),
  ...Object.values(ACCOUNT),
  ...Object.values(OPENROUTER),
  ...Object.values(PLAYGROUND),
  ...Object.values(UPSCALE),
  ...Object.values(ADMIN_KEYS),
  ...Object.values(ADMIN),
  ...Object.values(ANALYTICS),
];
