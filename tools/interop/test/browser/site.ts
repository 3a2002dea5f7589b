// A web site on 127.0.0.1 with one page, which reports back.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface SiteFile {
  readonly type: string;
  readonly body: string | Uint8Array;
}

export class Site implements Disposable {
  readonly url: string;
  /** What the page sends to `report`. */
  readonly report: Promise<string>;
  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
    this.report = new Promise((resolve, reject) => {
      server.on("request", (request) => {
        if (request.url === "/report") text(request).then(resolve, reject);
      });
    });
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  /** @param files by path, of which "" is the page */
  static async open(files: Readonly<Record<string, SiteFile>>): Promise<Site> {
    const server = createServer((request, response) => {
      const file = files[request.url!.slice(1)];
      response.writeHead(file === undefined ? 204 : 200, { "content-type": file?.type ?? "text/plain" }).end(file?.body);
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return new Site(server);
  }

  [Symbol.dispose](): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
