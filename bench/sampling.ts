/** Named, not left to defaults: they differ from engine to engine. No seed: batches may be full. */
export const SAMPLING = { temperature: 0.8, top_p: 0.95, top_k: 40, min_p: 0.05 } as const;
