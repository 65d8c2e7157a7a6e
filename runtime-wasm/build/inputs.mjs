/**
 * The archives that everything is built from, each with its pinned hash (runtime-wasm/inputs.lock.json). They come from
 * RUNTIME_INPUTS_DIR; what is missing there is fetched from Debian through a private apt configuration. A file with
 * another hash is never used.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run, sha256 } from "./shell.mjs";

const SUITES = ["bookworm", "trixie", "forky", "sid"];
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const MIRROR = process.env.DEBIAN_MIRROR ?? "http://deb.debian.org/debian";

/** Path of every input by its name in the lock. Throws when one cannot be had or has the wrong hash. */
export function collectInputs(lock, inputsFolder, workFolder) {
  const own = join(workFolder, "inputs");
  mkdirSync(own, { recursive: true });
  const paths = {};
  for (const [name, input] of Object.entries(lock)) {
    const path = join(own, input.file);
    if (!existsSync(path) && inputsFolder !== undefined && existsSync(join(inputsFolder, input.file))) {
      copyFileSync(join(inputsFolder, input.file), path);
    }
    if (!existsSync(path)) fetchFromDebian(input, own, workFolder);
    if (!existsSync(path)) throw new Error(`${input.file} is neither in RUNTIME_INPUTS_DIR nor in Debian any more`);
    const found = sha256(readFileSync(path));
    if (found !== input.sha256) throw new Error(`${input.file} has sha256 ${found}, expected ${input.sha256}`);
    paths[name] = path;
  }
  return paths;
}

function fetchFromDebian({ file, debian }, folder, workFolder) {
  console.log(`fetching ${file} from Debian`);
  const options = aptOptions(workFolder);
  const wanted = debian.version === undefined ? debian.package : `${debian.package}=${debian.version}`;
  const download = debian.kind === "source" ? ["source", "--download-only", "--tar-only", wanted] : ["download", wanted];
  run(workFolder, "apt", "apt-get", [...options, ...download], { cwd: folder });
}

/** An apt of our own below the work folder, so that the machine's sources stay as they are. */
function aptOptions(workFolder) {
  const root = join(workFolder, "apt");
  const sources = join(root, "sources.list");
  const options = [
    `Dir::Etc::SourceList=${sources}`,
    "Dir::Etc::SourceParts=-",
    `Dir::State::Lists=${join(root, "lists")}`,
    `Dir::Cache=${join(root, "cache")}`,
    "APT::Sandbox::User=root",
  ].flatMap((option) => ["-o", option]);
  if (existsSync(sources)) return options;
  for (const folder of ["lists/partial", "cache/archives/partial"]) mkdirSync(join(root, folder), { recursive: true });
  const lines = SUITES.flatMap((suite) => ["deb", "deb-src"].map((kind) => `${kind} [signed-by=${KEYRING}] ${MIRROR} ${suite} main\n`));
  const security = `deb [signed-by=${KEYRING}] ${MIRROR}-security bookworm-security main\n`;
  writeFileSync(sources, lines.join("") + security);
  run(workFolder, "apt", "apt-get", [...options, "update"]);
  return options;
}
