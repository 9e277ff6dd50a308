import Ajv2020 from "ajv/dist/2020";
import schemas from "./contracts/openai_oracle_schemas.json";

const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
ajv.addSchema(schemas);

/** The names of OpenAI's own schemas for what a server answers. */
export type OracleSchema =
  | "CreateChatCompletionRequest"
  | "CreateChatCompletionResponse"
  | "CreateChatCompletionStreamResponse"
  | "CreateCompletionRequest"
  | "CreateCompletionResponse"
  | "CreateEmbeddingResponse"
  | "ErrorResponse"
  | "ListModelsResponse"
  | "Model";

/**
 * Holds values against one of OpenAI's published schemas (openai-openapi at the pinned commit).
 * The function it returns throws an error that lists every place where the value breaks the schema.
 */
export function oracle(name: OracleSchema): (value: unknown) => void {
  const validate = ajv.getSchema(`${schemas.$id}#/$defs/${name}`);
  if (validate === undefined) throw new Error(`The oracle has no schema ${name}.`);
  return (value) => {
    if (validate(value) === true) return;
    const problems = (validate.errors ?? []).map(
      (error) => `${error.instancePath || "/"} ${error.message} ${JSON.stringify(error.params)}`,
    );
    throw new Error(
      `Not a ${name} of OpenAI's:\n${problems.join("\n")}\n${JSON.stringify(value)?.slice(0, 2000)}`,
    );
  };
}
