// nodemailer and smtp-server; ssh2, client and server, with SFTP.
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import nodemailer from "nodemailer";
import { SMTPServer } from "smtp-server";
import type ssh2 from "ssh2";
import { expect } from "vitest";
import { betweenTwoHosts, listening, loadAnew } from "./two-hosts.ts";

betweenTwoHosts("nodemailer sends a mail with an attachment to smtp-server", async ({ onServer }) => {
  const received: string[] = [];
  const { server, port } = await onServer(async () => {
    const smtp = new SMTPServer({
      authOptional: true,
      disabledCommands: ["STARTTLS"],
      onData: (stream, _session, done) => {
        let mail = "";
        stream.on("data", (piece: Buffer) => {
          mail += piece.toString();
        });
        stream.on("end", () => {
          received.push(mail);
          done();
        });
      },
    });
    const number = listening(smtp.server);
    smtp.listen(0);
    return { server: smtp, port: await number };
  });
  const transport = nodemailer.createTransport({ host: "server", port, ignoreTLS: true });
  const attachment = Buffer.alloc(100_000, "attached ");
  await transport.sendMail({
    from: "a@client",
    to: "b@server",
    subject: "across",
    text: "a mail",
    attachments: [{ filename: "a.bin", content: attachment }],
  });
  transport.close();
  expect(received[0]).toContain("Subject: across");
  expect(received[0].replace(/\r\n/g, "")).toContain(attachment.toString("base64").slice(0, 60_000));
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

betweenTwoHosts("ssh2: a command, its output and its exit code", async ({ onServer }) => {
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
    publicKeyEncoding: { type: "pkcs1", format: "pem" },
  });
  const output = Buffer.alloc(200_000, "line of output\n");
  const { server, port } = await onServer(async () => {
    const { Server } = loadAnew<typeof ssh2>("ssh2");
    const daemon = new Server({ hostKeys: [privateKey] }, (connection) => {
      connection.on("error", () => {});
      connection.on("authentication", (context) =>
        context.method === "password" && context.password === "secret" ? context.accept() : context.reject(),
      );
      connection.on("ready", () => {
        connection.on("session", (accept) => {
          accept().on("exec", (acceptExec, _reject, info) => {
            const stream = acceptExec();
            stream.write(output);
            stream.stderr.write(`ran ${info.command}`);
            stream.exit(3);
            stream.end();
          });
        });
      });
    });
    const number = listening(daemon as never);
    daemon.listen(0);
    return { server: daemon, port: await number };
  });
  const { Client } = loadAnew<typeof ssh2>("ssh2");
  const client = new Client();
  client.connect({ host: "server", port, username: "me", password: "secret" });
  await once(client, "ready");
  const result = await new Promise<{ code: number; out: Buffer; err: string }>((resolve, reject) => {
    client.exec("uptime", (error, stream) => {
      if (error) return reject(error);
      const pieces: Buffer[] = [];
      let err = "";
      stream.on("data", (piece: Buffer) => pieces.push(piece));
      stream.stderr.on("data", (piece: Buffer) => {
        err += piece.toString();
      });
      stream.on("close", (code: number) => resolve({ code, out: Buffer.concat(pieces), err }));
    });
  });
  expect(result).toMatchObject({ code: 3, err: "ran uptime" });
  expect(result.out.equals(output)).toBe(true);
  client.end();
  await once(client, "close");
  await new Promise<void>((resolve) => server.close(() => resolve()));
});
