import { describe, expect, test } from "bun:test";
import { KEY_ENDPOINTS } from "../contract/admin-keys.ts";
import { UserError } from "../lib/user-error.ts";
import { commandHelp, generalHelp } from "./help.ts";
import { COMMANDS, type CommandName, isCommand, parseCommandLine } from "./options.ts";

test("options are read in every usual spelling", () => {
  for (const args of [
    ["serve", "--port", "9000", "--home=/h"],
    ["serve", "-p", "9000", "--home", "/h"],
    ["serve", "--home=/h", "-p9000"],
  ])
    expect(parseCommandLine(args).text).toEqual({ port: "9000", home: "/h" });
  expect(parseCommandLine(["pull", "x", "--update"])).toMatchObject({
    positionals: ["x"],
    help: false,
  });
  expect(parseCommandLine(["pull", "x", "--update"]).flags.has("update")).toBe(true);
});

describe("what is not understood ends with 2 and one line that helps", () => {
  test.each([
    [["sevre"], 'there is no command "sevre", did you mean npx covey serve?; see npx covey --help'],
    [
      ["serve", "--prot", "1"],
      "covey serve has no option --prot, did you mean --port?; see npx covey serve --help",
    ],
    [["serve", "-x"], "covey serve has no option -x; see npx covey serve --help"],
    [["serve", "--port"], "--port needs a value: --port N; see npx covey serve --help"],
    [
      ["serve", "--port", "--home", "x"],
      "--port needs a value: --port N; see npx covey serve --help",
    ],
    [["serve", "extra"], 'covey serve does not take "extra"; see npx covey serve --help'],
    [
      ["pull"],
      "covey pull needs a model: npx covey pull <model> [options]; see npx covey models for those there are",
    ],
    [["models", "--json=yes"], "--json takes no value; see npx covey models --help"],
    [["constructor"], 'there is no command "constructor"; see npx covey --help'],
  ])("%j", (args, message) => {
    try {
      parseCommandLine(args);
      throw new Error("it was understood");
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      expect(error).toMatchObject({ message, exitCode: 2 });
    }
  });
});

const names: CommandName[] = Object.keys(COMMANDS).filter(isCommand);

test.each(names)("covey %s --help names every option and its examples can be parsed", (name) => {
  const help = commandHelp(name);
  for (const option of Object.keys(COMMANDS[name].options)) expect(help).toContain(`--${option}`);
  for (const [example] of COMMANDS[name].examples) {
    expect(help).toContain(example);
    const args = example.replace(/^.*?covey /, "").split(" ");
    expect(parseCommandLine(args).command).toBe(name);
  }
  for (const line of help.split("\n")) expect(line.length).toBeLessThanOrEqual(110);
});

test("help is understood even without what a command needs", () => {
  expect(parseCommandLine(["pull", "--help"]).help).toBe(true);
  expect(generalHelp("1.2.3")).toContain("1.2.3");
});

test("the help of keys names every endpoint that a key can be for", () => {
  for (const endpoint of KEY_ENDPOINTS) expect(commandHelp("keys")).toContain(endpoint);
});
