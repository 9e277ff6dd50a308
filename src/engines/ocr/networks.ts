import type { InferenceSession, Tensor } from "onnxruntime-node";
import { alphabet, decode, type Reading, rivalClasses } from "./ctc.ts";
import { LETTERS_LIKE } from "./letters.ts";
import type { Planes } from "./pixels.ts";

/** Paths of the files that make up a reader. */
export interface OcrFiles {
  readonly detection: string;
  readonly recognition: string;
  /** The recognition network's characters, one a line. */
  readonly dictionary: string;
}

/** The two networks, as functions of planes. */
export interface Networks {
  /** How likely each pixel is text: as many values as the planes have pixels. */
  detect(planes: Planes): Promise<Float32Array>;
  /** What a line, 48 pixels high, says. */
  recognise(planes: Planes): Promise<Reading>;
}

/** Loads the networks with so many threads. Rejects when a file is missing or no such network. */
export async function loadNetworks(files: OcrFiles, threads: number): Promise<Networks> {
  const ort = await import("onnxruntime-node");
  const open = (path: string) =>
    ort.InferenceSession.create(path, { intraOpNumThreads: threads, interOpNumThreads: 1 });
  const detection = await open(files.detection);
  const recognition = await open(files.recognition);
  const classes = alphabet(await Bun.file(files.dictionary).text());
  const rivals = rivalClasses(classes, LETTERS_LIKE);
  const run = async (session: InferenceSession, { data, width, height }: Planes) => {
    const input = session.inputNames[0] ?? "x";
    const output = session.outputNames[0] ?? "";
    const tensor = new ort.Tensor("float32", data, [1, 3, height, width]);
    return floats((await session.run({ [input]: tensor }))[output]);
  };
  return {
    detect: async (planes) => (await run(detection, planes)).data,
    recognise: async (planes) => {
      const { data, dims } = await run(recognition, planes);
      return decode(data, dims[1] ?? 0, classes, planes.width, rivals);
    },
  };
}

function floats(tensor: Tensor | undefined) {
  if (!(tensor?.data instanceof Float32Array)) throw new Error("a network answered no floats");
  return { data: tensor.data, dims: tensor.dims };
}
