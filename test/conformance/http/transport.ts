/** How the requests of these cases reach the app: inside this process by default; over sockets when somebody says so. */
import { createApp } from "../../../src/http/app.ts";
import type { FakeWorld } from "./fake-services.ts";

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

export interface Transport {
  /** Sends `POST /path` and the like; rejects when the answer breaks off. */
  ask(world: FakeWorld, line: string, init: RequestInit): Promise<Answer>;
  /** Resolves to the bytes of body that came first, and has hung up then. */
  hangUp(world: FakeWorld, line: string): Promise<number>;
}

export const words = (line: string): [method: string, target: string] => line.split(" ") as [string, string];

const IN_APP: Transport = {
  async ask(world, line, init) {
    const [method, target] = words(line);
    const response = await createApp(world.services, world.options).request(`http://host${target}`, { method, ...init });
    return { status: response.status, text: await response.text(), headers: response.headers };
  },
  async hangUp(world, line) {
    const [method, target] = words(line);
    const response = await createApp(world.services, world.options).request(`http://host${target}`, { method });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const first = await reader.read();
    await reader.cancel();
    return first.value?.length ?? 0;
  },
};

let current = IN_APP;
export const transport = (): Transport => current;
export const useTransport = (chosen: Transport): void => void (current = chosen);
