/** What the cases import as `vitest`, on a runtime that Vitest itself does not run on: its own runner and its own `expect`. */
import { chai, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from "@vitest/expect";

export { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@vitest/runner";

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);
export const { expect } = chai;
