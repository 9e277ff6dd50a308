import type { Counter, Distribution, Histogram, Metrics, Series } from "../lib/metrics.ts";
import type { AttemptRecord, RefusalRecord, SettleRecord } from "../types.ts";
import type { Call } from "./call.ts";
import type { Observer } from "./observer.ts";

/** Models that have series of their own; calls of more of them are counted under "other". */
const MOST_MODELS = 500;
/** What was refused may take so many of them: a stranger's calls must not leave none for the others. */
const MOST_REFUSED = 250;
const OTHER = "other";
const NONE = "none";

/** Seconds. */
const FIRST_TOKEN = [0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3, 6, 12, 25, 50, 100];
const TOTAL = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640];
const QUEUE = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** What is counted of one endpoint, model and provider: found once a call, then plain numbers. */
interface Route {
  readonly ended: Map<string, Series>;
  readonly firstToken: Distribution;
  readonly total: Distribution;
  readonly queue: Distribution;
  readonly prompt: Series;
  readonly cached: Series;
  readonly completion: Series;
  readonly cost: Series;
}

type Labels = readonly [endpoint: string, model: string, provider: string];

/** Counts calls and attempts as they end. */
export class Measure implements Observer {
  readonly #calls: Counter;
  readonly #tokens: Counter;
  readonly #cost: Counter;
  readonly #images: Counter;
  readonly #pixels: Counter;
  readonly #attempts: Counter;
  readonly #malformed: Counter;
  readonly #firstToken: Histogram;
  readonly #total: Histogram;
  readonly #queue: Histogram;
  readonly #modelId: (name: string) => string | undefined;
  readonly #models = new Set<string>();
  readonly #routes = new Map<string, Map<string, Map<string, Route>>>();
  readonly #tries = new Map<string, Map<string, Series>>();

  /** @param modelId the id of the model that a name is for, where there is one */
  constructor(metrics: Metrics, modelId: (name: string) => string | undefined) {
    this.#modelId = modelId;
    const route = ["endpoint", "model", "provider"];
    this.#calls = metrics.counter("covey_calls_total", "Calls that have ended.", [
      ...route,
      "status",
      "code",
      "error",
    ]);
    this.#tokens = metrics.counter(
      "covey_tokens_total",
      "Tokens; cached ones are part of prompt.",
      ["model", "provider", "kind"],
    );
    this.#cost = metrics.counter(
      "covey_cost_usd_total",
      "What calls were charged, in US dollars.",
      ["model", "provider"],
    );
    const target = ["model", "provider"];
    this.#images = metrics.counter("covey_images_total", "Images made, or read for text.", target);
    this.#pixels = metrics.counter("covey_image_pixels_total", "Pixels of those images.", target);
    this.#firstToken = metrics.histogram(
      "covey_first_token_seconds",
      "From a call's arrival to its first token.",
      FIRST_TOKEN,
      route,
    );
    this.#total = metrics.histogram(
      "covey_call_seconds",
      "From a call's arrival to its end.",
      TOTAL,
      route,
    );
    this.#queue = metrics.histogram(
      "covey_queue_seconds",
      "From a call's arrival to the beginning of work on it.",
      QUEUE,
      ["provider"],
    );
    this.#attempts = metrics.counter("covey_attempts_total", "Tries at a provider's model.", [
      "provider",
      "how",
      "outcome",
    ]);
    this.#malformed = metrics.counter(
      "covey_malformed_events_total",
      "Events of upstreams' streams that could not be read.",
      ["provider"],
    );
  }

  attempted(_call: Call, { provider, how, error, malformedEvents }: AttemptRecord): void {
    const outcome = error ?? "answered";
    let tries = this.#tries.get(provider);
    if (tries === undefined) {
      tries = new Map();
      this.#tries.set(provider, tries);
    }
    const name = how + outcome;
    let series = tries.get(name);
    if (series === undefined) {
      series = this.#attempts.of(provider, how, outcome);
      tries.set(name, series);
    }
    series.value += 1;
    if (malformedEvents > 0) this.#malformed.of(provider).value += malformedEvents;
  }

  settled(call: Call, record: SettleRecord): void {
    const model = this.#modelOf(call.model);
    const route = this.#route([call.endpoint, model, record.provider ?? NONE]);
    this.#ended(route, call.endpoint, model, record.provider ?? NONE, record);
    if (record.status === "refused") return;
    route.total.observe(record.totalMs / 1000);
    if (record.firstTokenMs !== null) route.firstToken.observe(record.firstTokenMs / 1000);
    if (record.queueMs !== null) route.queue.observe(record.queueMs / 1000);
    route.prompt.value += record.promptTokens;
    route.cached.value += record.cachedTokens;
    route.completion.value += record.completionTokens;
    // Few models have any: the others get no series for it.
    if (record.images > 0) {
      this.#images.of(model, record.provider ?? NONE).value += record.images;
      this.#pixels.of(model, record.provider ?? NONE).value += record.pixels;
    }
    if (record.costNanoUsd !== null) route.cost.value += record.costNanoUsd / 1e9;
  }

  refused(record: RefusalRecord): void {
    const { endpoint, model, known, httpStatus, error } = record;
    const shown = this.#refusedModel(model);
    this.#calls.of(
      known ? endpoint : OTHER,
      shown,
      NONE,
      "refused",
      String(httpStatus),
      error,
    ).value += 1;
  }

  /** What strangers type must not become a series, unless it is a model's name. */
  #refusedModel(name: string | null): string {
    if (name === null) return NONE;
    const model = this.#modelId(name);
    if (model === undefined) return OTHER;
    if (!this.#models.has(model) && this.#models.size >= MOST_REFUSED) return OTHER;
    return this.#modelOf(model);
  }

  #modelOf(model: string | null): string {
    if (model === null) return NONE;
    if (this.#models.has(model)) return model;
    if (this.#models.size >= MOST_MODELS) return OTHER;
    this.#models.add(model);
    return model;
  }

  #ended(
    { ended }: Route,
    endpoint: string,
    model: string,
    provider: string,
    { status, httpStatus, error }: SettleRecord,
  ): void {
    const name = `${status} ${error}`;
    let series = ended.get(name);
    if (series === undefined) {
      series = this.#calls.of(
        ...([endpoint, model, provider] satisfies Labels),
        status,
        String(httpStatus),
        error ?? "",
      );
      ended.set(name, series);
    }
    series.value += 1;
  }

  #route([endpoint, model, provider]: Labels): Route {
    let models = this.#routes.get(endpoint);
    if (models === undefined) {
      models = new Map();
      this.#routes.set(endpoint, models);
    }
    let providers = models.get(model);
    if (providers === undefined) {
      providers = new Map();
      models.set(model, providers);
    }
    let route = providers.get(provider);
    if (route === undefined) {
      route = {
        ended: new Map(),
        firstToken: this.#firstToken.of(endpoint, model, provider),
        total: this.#total.of(endpoint, model, provider),
        queue: this.#queue.of(provider),
        prompt: this.#tokens.of(model, provider, "prompt"),
        cached: this.#tokens.of(model, provider, "cached"),
        completion: this.#tokens.of(model, provider, "completion"),
        cost: this.#cost.of(model, provider),
      };
      providers.set(provider, route);
    }
    return route;
  }
}
