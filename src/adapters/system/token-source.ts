import { createHash, randomBytes } from "node:crypto";
import { TOKEN_PREFIX, TOKEN_RANDOM_BYTES } from "../../core/tokens/token.ts";
import type { TokenSource } from "../../ports/token-source.ts";

export const tokenSource: TokenSource = {
  newToken: () => TOKEN_PREFIX + randomBytes(TOKEN_RANDOM_BYTES).toString("base64url"),
  hash: (text) => createHash("sha512").update(text).digest("hex"),
};
