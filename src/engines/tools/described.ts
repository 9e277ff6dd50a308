/**
 * Tools with a description of all that may have one, and a list of properties: some templates, such as
 * those of Hermes, fail without. Empty where nobody said.
 */
export function describedTools(tools: readonly unknown[]): readonly unknown[] {
  return tools.map((tool) => {
    const told = fieldsOf(fieldsOf(tool).function);
    const parameters = fieldsOf(told.parameters);
    const properties = Object.entries(fieldsOf(parameters.properties)).map(
      ([name, schema]) => [name, { description: "", type: "string", ...fieldsOf(schema) }] as const,
    );
    const all = { required: [], ...parameters, properties: Object.fromEntries(properties) };
    return { ...fieldsOf(tool), function: { description: "", ...told, parameters: all } };
  });
}

function fieldsOf(value: unknown): { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
