// Deterministic line protocol for the ingest workload: random walks over fixed series, the same bytes on every machine.
import { seededRandom } from "../src/testing/seeded-random.ts";

/** TSBS "cpu-only": 10 tags, 10 floats of full precision. Simple: 2 tags, one float of two decimals. */
export type Shape = "tsbs" | "simple";

const HOSTS = 1_000;
const SEED = 123_456;
const FIRST_SECOND = 1_704_067_200;
const STEP_SECONDS = 10;
const TSBS_FIELDS = ["usage_user", "usage_system", "usage_idle", "usage_nice", "usage_iowait", "usage_irq", "usage_softirq", "usage_steal", "usage_guest", "usage_guest_nice"];
const REGIONS = ["us-east-1", "us-west-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "sa-east-1"];

function seriesOf(shape: Shape, host: number, random: () => number): string {
  const pick = (values: readonly string[]): string => values[Math.floor(random() * values.length)] as string;
  if (shape === "simple") return `m,device=d${host},site=s${host % 100}`;
  const region = pick(REGIONS);
  const whole = (below: number): number => Math.floor(random() * below);
  return `cpu,arch=${pick(["x64", "x86"])},datacenter=${region}${pick(["a", "b", "c"])},hostname=host_${host},os=${pick(["Ubuntu16.10", "Ubuntu16.04LTS", "Ubuntu15.10"])},rack=${whole(100)},region=${region},service=${whole(20)},service_environment=${pick(["production", "staging", "test"])},service_version=${whole(2)},team=${pick(["SF", "NYC", "LON", "CHI"])}`;
}

/** `count` bodies of `lines` lines each; timestamps ascend in every series, in nanoseconds. */
export function makeBodies(shape: Shape, count: number, lines: number): Uint8Array[] {
  const random = seededRandom(SEED);
  const series = Array.from({ length: HOSTS }, (_, host) => seriesOf(shape, host, random));
  const fields = shape === "tsbs" ? TSBS_FIELDS : ["value"];
  const values = series.map(() => Float64Array.from(fields, () => random() * 100));
  const step = (value: number): number => Math.max(0, Math.min(100, value + (random() + random() + random() - 1.5) * 2));
  let line = 0;
  return Array.from({ length: count }, () => {
    const text: string[] = [];
    for (let end = line + lines; line < end; line++) {
      const host = line % HOSTS;
      const current = values[host] as Float64Array;
      const parts = fields.map((field, index) => {
        const value = (current[index] = step(current[index] as number));
        return `${field}=${shape === "tsbs" ? value : value.toFixed(2)}`;
      });
      text.push(`${series[host]} ${parts.join(",")} ${FIRST_SECOND + Math.floor(line / HOSTS) * STEP_SECONDS}000000000`);
    }
    return new TextEncoder().encode(`${text.join("\n")}\n`);
  });
}
