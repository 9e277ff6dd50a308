import type { Asked } from "./fake-asked.ts";
import type { Dialect } from "./fake-styles.ts";

/** What is in every error that the upstream sends: a key that must go no further. */
export const UPSTREAM_SECRET = "sk-upstream-secret";

/** An answer that says no. */
export interface Refusal {
  readonly status: number;
  readonly body: object;
  readonly headers?: Record<string, string>;
}

const NAMES: Record<number, string> = {
  400: "BadRequestError",
  401: "AuthenticationError",
  404: "NotFoundError",
  500: "InternalServerError",
  503: "ServiceUnavailableError",
};

/** The same message in the form in which each server tells its errors. */
export function refusalIn(
  dialect: Dialect,
  status: number,
  message: string,
  code: string | null = null,
): Refusal {
  switch (dialect) {
    case "vllm":
      return {
        status,
        body: { error: { message, type: NAMES[status] ?? "APIError", param: null, code: status } },
      };
    case "sglang":
    case "arli":
      return {
        status,
        body: {
          object: "error",
          message,
          type: NAMES[status] ?? "APIError",
          param: null,
          code: status,
        },
      };
    case "llamacpp":
      return {
        status,
        body: {
          error: {
            code: status,
            message,
            type: status < 500 ? "invalid_request_error" : "server_error",
          },
        },
      };
    case "ollama":
      return { status, body: { error: message } };
    case "tabbyapi":
      return { status, body: { detail: message } };
    case "openrouter":
      return {
        status,
        body: {
          error: { message, code: status, metadata: { provider_name: "DeepInfra", raw: message } },
          user_id: "user_x",
        },
      };
    default:
      return {
        status,
        body: { error: { message, type: "invalid_request_error", param: null, code } },
      };
  }
}

/**
 * "Too long", in the words of: OpenAI; vLLM before and after 0.10; SGLang; llama.cpp's server
 * (tools/server, `exceed_context_size_error`); TabbyAPI; OpenRouter.
 */
const TOO_LONG: Record<string, Refusal> = {
  openai: {
    status: 400,
    body: {
      error: {
        message:
          "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens. Please reduce the length of the messages.",
        type: "invalid_request_error",
        param: "messages",
        code: "context_length_exceeded",
      },
    },
  },
  vllm: {
    status: 400,
    body: {
      error: {
        message:
          "This model's maximum context length is 8192 tokens. However, your request has 9001 input tokens. Please reduce the length of the input messages.",
        type: "BadRequestError",
        param: null,
        code: 400,
      },
    },
  },
  vllmold: {
    status: 400,
    body: {
      object: "error",
      message:
        "This model's maximum context length is 8192 tokens. However, you requested 9101 tokens (9001 in the messages, 100 in the completion). Please reduce the length of the messages or completion.",
      type: "BadRequestError",
      param: null,
      code: 400,
    },
  },
  sglang: {
    status: 400,
    body: {
      object: "error",
      message: "The input (9001 tokens) is longer than the model's context length (8192 tokens).",
      type: "BadRequestError",
      param: null,
      code: 400,
    },
  },
  llamacpp: {
    status: 400,
    body: {
      error: {
        code: 400,
        message:
          "the request exceeds the available context size. try increasing the context size or enable context shift",
        type: "exceed_context_size_error",
        n_prompt_tokens: 9001,
        n_ctx: 8192,
      },
    },
  },
  tabbyapi: {
    status: 400,
    body: { detail: "Context length 9001 is greater than max_seq_len 8192" },
  },
  openrouter: {
    status: 400,
    body: {
      error: {
        message:
          'This endpoint\'s maximum context length is 8192 tokens. However, you requested about 9101 tokens (9001 of text input, 100 in the output). Please reduce the length of either one, or use the "middle-out" transform to compress your prompt automatically.',
        code: 400,
        metadata: { provider_name: null },
      },
    },
  },
};

/** "Not allowed", in the words of Azure's OpenAI, and of OpenRouter's moderation. */
const FILTERED: Record<string, Refusal> = {
  openai: {
    status: 400,
    body: {
      error: {
        message:
          "The response was filtered due to the prompt triggering our content management policy. Please modify your prompt and retry.",
        type: null,
        param: "prompt",
        code: "content_filter",
      },
    },
  },
  openrouter: {
    status: 403,
    body: {
      error: {
        code: 403,
        message: "Input was flagged by moderation",
        metadata: {
          reasons: ["violence"],
          flagged_input: "…",
          provider_name: "OpenAI",
          model_slug: "a/b",
        },
      },
    },
  },
};

/** The refusals that a model's name can ask for, whatever the request says. */
export function namedRefusal(
  behaviour: string,
  argument: string,
  dialect: Dialect,
): Refusal | null {
  if (behaviour === "contextlength")
    return TOO_LONG[argument || dialect] ?? TOO_LONG.openai ?? null;
  if (behaviour === "contentfilter")
    return FILTERED[argument || dialect] ?? FILTERED.openai ?? null;
  if (behaviour === "forever")
    return refusalIn(dialect, Number(argument || 503), "Service unavailable");
  return null;
}

/** What a server of this kind refuses of this request; null when it takes it. */
export function strictness(
  dialect: Dialect,
  body: Record<string, unknown>,
  path: string,
): Refusal | null {
  const text = JSON.stringify(body);
  if (dialect === "arli" && /"image_url":\{[^}]*"url":"https?:/.test(text)) {
    return refusalIn(dialect, 400, "Image URLs are not supported. Send images as base64 data.");
  }
  // HF's chat templates refuse the two together, and the second is true unless the request says otherwise.
  if (
    dialect === "vllm" &&
    path.endsWith("/chat/completions") &&
    body.continue_final_message === true &&
    body.add_generation_prompt !== false
  ) {
    return refusalIn(
      dialect,
      400,
      "Cannot set both `continue_final_message` and `add_generation_prompt` to True.",
    );
  }
  if (dialect === "flexai" && typeof body.n === "number" && body.n > 1) {
    return {
      status: 400,
      body: {
        error: { message: "n must be 1", type: "invalid_request_error", param: "n", code: null },
      },
    };
  }
  return null;
}

export function prefillRefusal(asked: Asked, dialect: Dialect): Refusal | null {
  if (asked.prefill === null) return null;
  return refusalIn(
    dialect,
    400,
    "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant",
  );
}
