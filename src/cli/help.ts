import { COMMANDS, type Command, type CommandName } from "./options.ts";

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}

export function commandHelp(name: CommandName): string {
  const command: Command = COMMANDS[name];
  const options = Object.entries(command.options).map(
    ([option, { short, value, text }]): [string, string] => [
      `${short === undefined ? "   " : `-${short},`} --${option}${value === undefined ? "" : ` ${value}`}`,
      text,
    ],
  );
  return [
    `${command.summary}.`,
    `Usage: ${command.usage}`,
    command.about,
    `Options:\n${columns(options)}`,
    `Examples:\n${columns(command.examples)}`,
  ].join("\n\n");
}

export function generalHelp(version: string): string {
  const commands = Object.entries(COMMANDS).map(([name, { summary }]): [string, string] => [
    name,
    summary,
  ]);
  return [
    `covey ${version}: one OpenAI-compatible API in front of every open-weight model you can reach.`,
    "Usage: npx covey <command> [options]",
    `Commands:\n${columns(commands)}`,
    `Examples:\n${columns([
      ["npx covey serve", "start on http://127.0.0.1:8080"],
      ["npx covey models", "what can answer, and what fits this machine"],
      ["npx covey pull qwen2.5-1.5b", "download a better model than the starter"],
    ])}`,
    "npx covey <command> --help tells more. Every option of the config file: covey.example.toml.",
  ].join("\n\n");
}
