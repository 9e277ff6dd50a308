import { readFile } from "node:fs/promises";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { readLayersModel } from "./layers-model.ts";
import { buildNetwork, INPUT, OUTPUT } from "./network.ts";
import type { NetworkFiles } from "./network-files.ts";

/** Entry of the thread that runs networks: the runtime keeps its thread for as long as a run takes. */
declare const self: Worker;

export type ToNetworks = { readonly seq: number } & (
  | {
      readonly type: "open";
      readonly files: NetworkFiles;
      /** What white is in the model's numbers. */
      readonly range: 1 | 255;
      readonly threads: number;
    }
  | {
      readonly type: "run";
      /** Of a network that was opened. */
      readonly scale: number;
      /** Red green blue. */
      readonly pixels: Uint8Array;
      readonly width: number;
      readonly height: number;
    }
);

export type FromNetworks = { readonly seq: number } & (
  | { readonly type: "opened"; readonly radius: number }
  | { readonly type: "made"; readonly pixels: Uint8Array }
  | { readonly type: "failed"; readonly message: string }
);

type Ask<Type> = Extract<ToNetworks, { readonly type: Type }>;

const sessions = new Map<number, InferenceSession>();

self.onmessage = ({ data }: MessageEvent<ToNetworks>) => {
  const { seq } = data;
  const tell = (message: FromNetworks) => self.postMessage(message);
  (data.type === "open" ? open(data) : run(data)).then(tell, (error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    tell({ seq, type: "failed", message });
  });
};

async function open({ seq, files, range, threads }: Ask<"open">): Promise<FromNetworks> {
  const weights = await Promise.all(files.shards.map((path) => readFile(path)));
  const network = buildNetwork(
    readLayersModel(await readFile(files.model, "utf8"), weights),
    range,
  );
  if (network.scale !== files.scale)
    throw new Error(`${files.model} enlarges ${network.scale} times`);
  const session = await InferenceSession.create(network.onnx, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Each would keep one of its own; the process reuses memory (`kind.ts`).
    enableCpuMemArena: false,
  });
  sessions.set(files.scale, session);
  return { seq, type: "opened", radius: network.radius };
}

async function run({ seq, scale, pixels, width, height }: Ask<"run">): Promise<FromNetworks> {
  const input = new Tensor("uint8", pixels, [1, height, width, 3]);
  const made = (await sessions.get(scale)?.run({ [INPUT]: input }, [OUTPUT]))?.[OUTPUT];
  if (!(made?.data instanceof Uint8Array)) throw new Error("the network made no pixels");
  return { seq, type: "made", pixels: made.data };
}
