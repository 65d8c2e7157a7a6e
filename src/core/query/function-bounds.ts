/** Guards around calls that make texts: the engine neither counts nor stops them, so a row that would make too long a text is an error. */
import type { CallSite } from "./function-types.ts";
import { TEXT_JOINED_MAX } from "./limits.ts";

/** The call, or an error in its row when what it may make is too long; lengths that are NULL leave it to the call. */
export const boundedText = (estimate: string, call: string, site: Pick<CallSite, "name">): string =>
  `CASE WHEN ${estimate} > ${TEXT_JOINED_MAX} THEN error('${site.name} makes more than ${TEXT_JOINED_MAX} bytes') ELSE ${call} END`;

/** Every byte may become the replacement, and one stands between any two. */
export const replacedText = (value: string, replacement: string, call: string, site: CallSite): string =>
  boundedText(`(strlen(${value}) + 1) * (strlen(${replacement}) + 1)`, call, site);
