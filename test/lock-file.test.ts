// Goal: `npm ci` works on every platform. Method: npm refuses a lock file in which an optional package of a locked package
// is missing, also when it is for another platform; a registry mirror that lacks such packages leaves them out in silence.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly optionalDependencies?: Readonly<Record<string, string>> }>>;
}

const { packages } = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8")) as Lock;

/** As Node resolves: the nearest `node_modules` on the way up. */
function versionSeenFrom(place: string, name: string): string | undefined {
  for (let at = place; ; at = at.slice(0, Math.max(0, at.lastIndexOf("node_modules/") - 1))) {
    const found = packages[`${at === "" ? "" : `${at}/`}node_modules/${name}`];
    if (found !== undefined || at === "") return found?.version;
  }
}

it("lists every optional package of every platform, at the version that is asked for", () => {
  const missing = Object.entries(packages).flatMap(([place, { optionalDependencies = {} }]) =>
    Object.entries(optionalDependencies)
      .filter(([name, wanted]) => {
        const version = versionSeenFrom(place, name);
        return version === undefined || (/^\d/.test(wanted) && version !== wanted);
      })
      .map(([name, wanted]) => `${place}: ${name}@${wanted}`),
  );
  expect(missing).toEqual([]);
});
