/** The zoo as one plugin of a server: a request names the attack, one without a name is honest work. */
import { readFileSync } from "node:fs";
import { folder } from "./zoo-files.ts";

export const HONEST_ANSWER = '{"honest": 42}';

export function zooPlugin(names: readonly string[]): string {
  const attacks = Object.fromEntries(names.map((name) => [name, readFileSync(new URL(`${name}.py`, folder), "utf8")]));
  return `
ATTACKS = ${JSON.stringify(attacks)}

def process_request(influxdb3_local, query, headers, body, args=None):
    name = query.get("attack")
    if name is None:
        influxdb3_local.cache.put("n", 42)
        influxdb3_local.write(LineBuilder("honest").int64_field("f", 1))
        return {"honest": influxdb3_local.cache.get("n")}
    scope = {"__builtins__": __builtins__}
    exec(compile(ATTACKS[name], name, "exec"), scope)
    if "process_request" in scope:
        return scope["process_request"](influxdb3_local, query, headers, body, args)
    scope["process_scheduled_call"](influxdb3_local, None, args)
    return "over"
`;
}
