import packageFile from "../package.json" with { type: "json" };
import { commandHelp, generalHelp } from "./cli/help.ts";
import { type CommandLine, parseCommandLine } from "./cli/options.ts";
import { UserError } from "./lib/user-error.ts";

/** The `covey` command. Each command's code is imported when it is called, so that none waits for another's. */

async function run(line: CommandLine): Promise<number> {
  if (line.command === "check") {
    const { check } = await import("./cli/check.ts");
    return check(line.text);
  }
  const { loadConfig } = await import("./config/load.ts");
  if (line.command === "serve") {
    const { serve } = await import("./cli/serve.ts");
    return serve(line.text);
  }
  const config = loadConfig({ flags: line.text });
  switch (line.command) {
    case "pull": {
      const { pull } = await import("./cli/pull.ts");
      return pull(config, line.positionals[0] ?? "", { update: line.flags.has("update") });
    }
    case "keys": {
      const { keys } = await import("./cli/keys.ts");
      return keys(config, line);
    }
    case "models": {
      const { models } = await import("./cli/models.ts");
      return models(config, { json: line.flags.has("json"), all: line.flags.has("all") });
    }
  }
}

async function main(args: readonly string[]): Promise<number> {
  const [first] = args;
  if (first === "--version" || first === "-v" || first === "version") {
    console.log(packageFile.version);
    return 0;
  }
  if (
    first === undefined ||
    first === "--help" ||
    first === "-h" ||
    (first === "help" && args.length === 1)
  ) {
    console.log(generalHelp(packageFile.version));
    return 0;
  }
  const line = parseCommandLine(first === "help" ? [...args.slice(1), "--help"] : args);
  if (line.help) {
    console.log(commandHelp(line.command));
    return 0;
  }
  return run(line);
}

try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(`covey: ${error.message}`);
  process.exit(error.exitCode);
}
