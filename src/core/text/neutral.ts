/**
 * Text of others (plugins, data, manifests) on its way into a log or onto a terminal: it must not pass for lines of ours, move
 * the cursor, or turn the direction of what stands beside it.
 */

/** Control characters, line and paragraph separators, marks that turn the direction of text. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g;
/** The same but for what lays out a table or a text. */
const UNSAFE_IN_LAYOUT = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g;

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** One line, whatever it was. */
export const neutralLine = (text: string): string => text.replace(UNSAFE, escaped);

/** Line ends and tabs stay. */
export const neutralLayout = (text: string): string => text.replace(UNSAFE_IN_LAYOUT, escaped);

/** Indented continuation lines keep a traceback readable: each begins with a mark that no line of ours begins with. */
export const neutralLines = (text: string): string => text.split("\n").map(neutralLine).join("\n    | ");
