// The built server with a store of its own, on a port of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Where the binary is; `make page-test` says so. */
export const BINARY = process.env["PLIMSOLL"] ?? new URL("../../../target/debug/plimsoll", import.meta.url).pathname;

export class Served {
  private constructor(private child: ChildProcess, readonly folder: string, readonly url: string, private readonly more: string[]) {}

  /** Serves what this configuration promises. */
  static async start(config: string, more: string[] = []): Promise<Served> {
    const folder = mkdtempSync(join(tmpdir(), "plimsoll-page-"));
    writeFileSync(join(folder, "plimsoll.yaml"), config);
    const { child, url } = await started(folder, "127.0.0.1:0", more);
    return new Served(child, folder, url, more);
  }

  /** Ends it, as a machine does that goes down. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGKILL");
    await ended;
  }

  /** Starts it again on the same store and address. */
  async again(): Promise<void> {
    await this.stop();
    this.child = (await started(this.folder, new URL(this.url).host, this.more)).child;
  }

  async end(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: any }> {
    const response = await fetch(this.url + path, {
      method, headers: { "content-type": "application/json" }, ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  }

  /** Reserves, and fails where there is no place. */
  async reserve(body: unknown): Promise<any> {
    const answer = await this.ask("POST", "/api/capacity/schedule", body);
    if (answer.status >= 300) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body.reservation;
  }
}

async function started(folder: string, listen: string, more: string[]): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(
    BINARY,
    ["serve", "--listen", listen, "--store", join(folder, "capacity.db"), "--config", join(folder, "plimsoll.yaml"), ...more],
    { cwd: folder, stdio: ["ignore", "pipe", "inherit"] },
  );
  const failed = new Promise<never>((_, reject) => child.once("exit", (code) => reject(new Error(`plimsoll serve ended with ${code}`))));
  failed.catch(() => {});
  const said = (async () => {
    for await (const row of createInterface({ input: child.stdout! })) {
      const url = /http:\/\/\S+?(?=,|\s|$)/.exec(row)?.[0];
      if (url) return url;
    }
    throw new Error("plimsoll serve said no address");
  })();
  return { child, url: await Promise.race([said, failed]) };
}
