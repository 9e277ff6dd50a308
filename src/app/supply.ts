import { Availability } from "../catalog/availability.ts";
import { ChatTemplates } from "../catalog/chat-templates.ts";
import { type LiveModels, liveModels } from "../catalog/live-models.ts";
import { starterOf } from "../catalog/starter.ts";
import type { Config } from "../config/schema.ts";
import { Images } from "../dialects/images.ts";
import { createBackend } from "../dialects/index.ts";
import type { LocalBackend } from "../engines/index.ts";
import { listingOf } from "../gateway/listing/describe-model.ts";
import { searchOf } from "../gateway/listing/search-models.ts";
import { canDecode, Refitter } from "../images/refitter.ts";
import { ImageSource } from "../images/source.ts";
import type { Log } from "../lib/log.ts";
import type { Model } from "../types.ts";
import { embedded, localFacts } from "./embedded.ts";
import { engineConfigOf } from "./engine-config.ts";
import { Needs } from "./needs.ts";
import type { Observation } from "./observe.ts";
import { rendering } from "./rendering.ts";
import type { Settings } from "./settings.ts";
import { Upstreams } from "./upstreams.ts";

/** Which models there are, and who answers for them. */
export interface Supply {
  readonly models: LiveModels;
  readonly availability: Availability;
  readonly starter: Model;
  readonly local: LocalBackend;
  /** Where images of requests come from, and what they may be. */
  readonly imageSource: ImageSource;
  readonly images: Images;
  /** Null where its library is not installed. */
  readonly refitter: Refitter | null;
  readonly upstreams: Upstreams;
}

/** Puts it together from files and the copies of providers' lists; nobody is asked and nothing loaded yet. */
export async function supplyOf(
  { config, catalog, providers, aliases }: Settings,
  log: Log,
  onRest: Observation["rested"],
  named: (models: LiveModels) => void,
): Promise<Supply> {
  const { home } = config;
  const needs = new Needs(engineConfigOf(config));
  const availability = new Availability(catalog.models, { home }, (model, found) =>
    needs.look(model, found),
  );
  await availability.refresh();
  const models = liveModels({
    own: catalog.models,
    localFacts: (model) => localFacts(model, needs.of(model)),
    providers,
    aliases,
    home,
    log,
    prepare: (model, targets) => void searchOf(listingOf(model, targets)),
  });
  named(models);
  await models.restore();
  needs.onContext = () => void models.rebuild();
  const starter = starterOf(catalog, config.models.starter, availability);
  const imageSource = imageSourceOf(config.images);
  const local = embedded(catalog.models, config, availability, needs, imageSource, log);
  const refitter = canDecode() ? new Refitter() : null;
  const images = new Images({ source: imageSource, refitter });
  const templates = new ChatTemplates({ home }, log);
  const dialects = { images, renderChat: rendering(catalog.models, templates), onRest };
  const upstreams = new Upstreams(local, ({ settings }) =>
    models.offered(createBackend(settings, dialects)),
  );
  upstreams.use(providers);
  return { models, availability, starter, local, imageSource, images, refitter, upstreams };
}

function imageSourceOf(images: Config["images"]): ImageSource {
  const { maxBytes, maxPixels, maxAspect, maxFrames } = images;
  return new ImageSource(images, { maxBytes, maxPixels, maxAspect, maxFrames }, images);
}
