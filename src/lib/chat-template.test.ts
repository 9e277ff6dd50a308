import { expect, test } from "bun:test";
import { type ChatRendering, ChatTemplate, ChatTemplateError } from "./chat-template.ts";

const CHATML =
  "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}" +
  "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
/** As Llama 2's and Mistral's: answers are trimmed, and get a space in front. */
const INST =
  "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content | trim }} [/INST]" +
  "{% else %}{{ ' ' + m.content | trim + ' ' + eos_token }}{% endif %}{% endfor %}";
/** As Qwen 3's: an answer is shown with its reasoning apart. */
const THINKING =
  "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}" +
  "{% set parts = m.content.split('</think>') %}" +
  "{% if parts | length > 1 %}<think>\n{{ parts[0].split('<think>')[-1].strip('\n') }}\n</think>\n\n{% endif %}" +
  "{{ parts[-1].lstrip('\n') }}{% else %}{{ m.content }}{% endif %}<|im_end|>\n{% endfor %}" +
  "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
const NO_ANSWERS =
  "{% for m in messages %}{% if m.role == 'user' %}[{{ m.content }}]{% endif %}{% endfor %}";

function conversation(answer: string): ChatRendering {
  return {
    messages: [
      { role: "user", content: "Hi" },
      { role: "assistant", content: answer },
    ],
    addGenerationPrompt: false,
    bosToken: "<s>",
    eosToken: "</s>",
    tools: null,
    variables: {},
  };
}

const open = (template: string, answer: string) =>
  new ChatTemplate(template).renderOpen(conversation(answer));

test("a conversation is rendered as the template says, with the answer's header or without", () => {
  const template = new ChatTemplate(CHATML);
  const closed = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nYes<|im_end|>\n";
  expect(template.render(conversation("Yes"))).toBe(closed);
  expect(template.render({ ...conversation("Yes"), addGenerationPrompt: true })).toBe(
    `${closed}<|im_start|>assistant\n`,
  );
});

test("an answer that goes on ends where it was cut, white space and all, and nothing comes after it", () => {
  for (const answer of ["Yes", "Yes, ", " Yes\n\n", "\n", "", "Yes 🙂", "Yes<|im_end|> x"]) {
    const head = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n";
    expect(open(CHATML, answer)).toEqual({ head, begun: answer });
  }
});

test("a template that trims answers changes nothing at the seam", () => {
  expect(open(INST, "Yes, ").begun).toBe("Yes, ");
  expect(open(INST, "Yes\n\n").begun).toBe("Yes\n\n");
});

test("where the model itself begins with the template's space, it is there once", () => {
  expect(open(INST, " Yes, ")).toEqual({ head: "<s>[INST] Hi [/INST]", begun: " Yes, " });
  expect(open(INST, "Yes")).toEqual({ head: "<s>[INST] Hi [/INST] ", begun: "Yes" });
});

test("what a template makes of reasoning stays, and the answer goes on behind it", () => {
  const { head, begun } = open(THINKING, "<think>\nhm\n</think>\n\nIt is ");
  expect(head + begun).toEndWith("<|im_start|>assistant\n<think>\nhm\n</think>\n\nIt is ");
});

test("a template that shows no answers, or refuses the conversation, says so", () => {
  expect(() => open(NO_ANSWERS, "Yes")).toThrow(ChatTemplateError);
  expect(() => open("{{ raise_exception('roles must alternate') }}", "Yes")).toThrow(
    "roles must alternate",
  );
  expect(() => new ChatTemplate("{% if %}")).toThrow(ChatTemplateError);
});

test("a developer speaks as the system, unless the template has that role", () => {
  const chat = (role: string) => ({
    ...conversation(""),
    messages: [
      { role, content: "Obey." },
      { role: "user", content: "Hi" },
    ],
  });
  const plain = new ChatTemplate(CHATML);
  expect(plain.render(chat("developer"))).toBe(plain.render(chat("system")));
  const knows = new ChatTemplate(`{% if messages[0].role == 'developer' %}{% endif %}${CHATML}`);
  expect(knows.render(chat("developer"))).toContain("<|im_start|>developer\nObey.");
});
