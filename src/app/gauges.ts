import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { LocalBackend } from "../engines/index.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { Distribution, Metrics } from "../lib/metrics.ts";
import type { Store } from "../store/index.ts";
import type { PayloadState } from "../store/payloads/client.ts";

/** What is only read when somebody looks: states, queues, sizes. */
export interface Gauged {
  readonly gateway: Gateway;
  readonly local: LocalBackend;
  readonly store: Store;
  readonly payloads: { state(): PayloadState };
  /** Bytes that payloads and their images may take. */
  readonly quotas: () => { readonly quota: number; readonly imageQuota: number };
  readonly version: string;
  readonly lists: () => readonly { readonly provider: string; readonly trouble: string | null }[];
}

export function gauges(metrics: Metrics, parts: Gauged): void {
  processGauges(metrics, parts.version);
  providerGauges(metrics, parts);
  engineGauges(metrics, parts.local);
  storeGauges(metrics, parts.store);
  payloadGauges(metrics, parts);
  limiterGauges(metrics, parts.gateway);
}

function processGauges(metrics: Metrics, version: string): void {
  const build = metrics.gauge("covey_build_info", "Always 1.", ["version", "bun"]);
  build.of(version, Bun.version).value = 1;
  const started = metrics.gauge("process_start_time_seconds", "Unix seconds.").of();
  started.value = Math.round(Date.now() / 1000 - process.uptime());
  const memory = metrics.gauge("process_resident_memory_bytes", "Memory in use.").of();
  const cpu = metrics.counter("process_cpu_seconds_total", "Time on processors.").of();
  metrics.onLook(() => {
    const { user, system } = process.cpuUsage();
    memory.value = process.memoryUsage.rss();
    cpu.value = (user + system) / 1e6;
  });
}

function providerGauges(metrics: Metrics, { gateway, lists }: Gauged): void {
  const running = metrics.gauge("covey_running_calls", "Calls that are being answered.").of();
  const attempts = metrics.gauge("covey_running_attempts", "Calls that targets are answering.", [
    "provider",
  ]);
  const breakers = metrics.gauge("covey_breakers", "Targets whose breaker is not closed.", [
    "provider",
    "state",
  ]);
  const keys = metrics.gauge(
    "covey_provider_keys",
    "Keys of a provider; one that rests for some model is resting.",
    ["provider", "state"],
  );
  const listed = metrics.gauge(
    "covey_provider_list_ok",
    "Whether its list of models could be fetched.",
    ["provider"],
  );
  metrics.onLook(() => {
    const now = performance.now();
    for (const gauge of [attempts, breakers, keys, listed]) gauge.clear();
    running.value = gateway.running.size;
    for (const [id, backend] of gateway.backends) {
      attempts.of(id);
      for (const state of ["open", "half-open"]) breakers.of(id, state);
      const held = backend.keys?.(now);
      if (held === undefined) continue;
      keys.of(id, "resting").value = held.resting;
      keys.of(id, "ready").value = held.all - held.resting;
    }
    for (const [id, health] of gateway.health.all(now)) {
      const provider = id.slice(0, id.indexOf("/"));
      if (!gateway.backends.has(provider)) continue;
      attempts.of(provider).value += health.running;
      if (health.breaker !== "closed") breakers.of(provider, health.breaker).value += 1;
    }
    for (const { provider, trouble } of lists()) {
      listed.of(provider).value = trouble === null ? 1 : 0;
    }
  });
}

const STATES = ["cold", "loading", "ready", "draining", "crashed", "too_big"] as const;
const IDLE: ReadonlySet<string> = new Set(["cold", "too_big"]);

function engineGauges(metrics: Metrics, local: LocalBackend): void {
  const loaded = metrics.gauge("covey_engine_models", "Embedded models by state.", ["state"]);
  const running = metrics.gauge("covey_engine_running", "Requests an embedded model answers.", [
    "model",
  ]);
  const waiting = metrics.gauge(
    "covey_engine_waiting",
    "Requests that wait for an embedded model.",
    ["model"],
  );
  const bytes = metrics.gauge("covey_engine_memory_bytes", "Memory given to an embedded model.", [
    "model",
  ]);
  const unloaded = metrics
    .counter("covey_engine_unloads_total", "Embedded models unloaded: for room, or unused.")
    .of();
  metrics.onLook(() => {
    for (const gauge of [loaded, running, waiting, bytes]) gauge.clear();
    for (const state of STATES) loaded.of(state);
    for (const model of local.snapshot()) {
      loaded.of(model.state).value += 1;
      if (IDLE.has(model.state) && model.waiting === 0) continue;
      running.of(model.model).value = model.running;
      waiting.of(model.model).value = model.waiting;
      bytes.of(model.model).value = model.bytes;
    }
    unloaded.value = local.unloaded();
  });
}

function storeGauges(metrics: Metrics, store: Store): void {
  const writable = metrics.gauge("covey_journal_writable", "Whether calls can be recorded.").of();
  const lag = metrics
    .gauge("covey_journal_lag_bytes", "Journal that is not in the database yet.")
    .of();
  const size = metrics.gauge("covey_journal_bytes", "Journal on disk.").of();
  const trouble = metrics
    .gauge("covey_database_trouble", "1 while the journal does not get into the database.")
    .of();
  metrics.onLook(async () => {
    const health = store.health();
    writable.value = health.ok ? 1 : 0;
    lag.value = health.lagBytes;
    trouble.value = health.detail === null ? 0 : 1;
    size.value = await folderBytes(store.home.journal);
  });
}

function payloadGauges(metrics: Metrics, { payloads, quotas }: Gauged): void {
  const taken = metrics.counter(
    "covey_payloads_total",
    "Payloads that were kept, dropped because too much was on its way, or failed to be written.",
    ["outcome"],
  );
  const pending = metrics
    .gauge("covey_payload_pending_bytes", "Payloads on their way to the disk.")
    .of();
  const bytes = metrics.gauge("covey_payload_bytes", "Payloads on disk.", ["kind"]);
  const quota = metrics.gauge("covey_payload_quota_bytes", "What they may take.", ["kind"]);
  metrics.onLook(() => {
    const state = payloads.state();
    for (const outcome of ["kept", "dropped", "failed"] as const) {
      taken.of(outcome).value = state[outcome];
    }
    pending.value = state.pendingBytes;
    bytes.of("text").value = state.bytes;
    bytes.of("images").value = state.imageBytes;
    const most = quotas();
    quota.of("text").value = most.quota;
    quota.of("images").value = most.imageQuota;
  });
}

const MODES = ["memory", "shared", "waiting", "share"] as const;

function limiterGauges(metrics: Metrics, { limiter }: Gateway): void {
  const mode = metrics.gauge("covey_limiter_mode", "How limits are kept: 1 for the mode in use.", [
    "mode",
  ]);
  const ok = metrics.gauge("covey_limiter_ok", "Whether limits are kept as configured.").of();
  const leases = metrics.gauge("covey_limiter_leases", "Places that are held.").of();
  const lost = metrics
    .counter("covey_limiter_lost_leases_total", "Leases that could not be renewed.")
    .of();
  metrics.onLook(() => {
    const state = limiter.state();
    for (const each of MODES) mode.of(each).value = each === state.mode ? 1 : 0;
    ok.value = state.ok ? 1 : 0;
    leases.value = state.leases;
    lost.value = state.lost;
  });
}

/** Files come and go while they are counted. */
async function folderBytes(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, each) => sum + each, 0);
}

/** Seconds by which the event loop is late, looked at so often. */
const LAG_EVERY_MS = 250;
const LAG_BOUNDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

/** Looks at the event loop's lateness until the returned function is called. `tick` is run each time. */
export function watchLoop(metrics: Metrics, tick: (now: number) => void): () => void {
  const lag: Distribution = metrics
    .histogram("covey_event_loop_lag_seconds", "How late a timer fired.", LAG_BOUNDS)
    .of();
  let due = performance.now() + LAG_EVERY_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    lag.observe(Math.max(0, now - due) / 1000);
    due = now + LAG_EVERY_MS;
    tick(now);
  }, LAG_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
