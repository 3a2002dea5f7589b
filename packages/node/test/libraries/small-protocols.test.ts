// dns2, net-snmp and telnet-client: UDP both ways, and the oldest of the TCP protocols.
import net from "node:net";
import type Dns2 from "dns2";
import type Snmp from "net-snmp";
import { Telnet } from "telnet-client";
import { expect } from "vitest";
import { betweenTwoHosts, listening, loadAnew } from "./two-hosts.ts";

betweenTwoHosts("net-snmp: an agent, and a manager that gets and walks", async ({ address, onServer }) => {
  const oid = "1.3.6.1.4.1.99999.1";
  const agent = await onServer(async () => {
    const snmp = loadAnew<typeof Snmp>("net-snmp");
    const created = snmp.createAgent({ port: 161, address: "0.0.0.0", disableAuthorization: true }, () => {});
    const mib = created.getMib();
    mib.registerProvider({
      name: "answer",
      type: snmp.MibProviderType.Scalar,
      oid,
      scalarType: snmp.ObjectType.Integer,
      maxAccess: snmp.MaxAccess["read-only"],
    });
    mib.setScalarValue("answer", 42);
    await new Promise((resolve) => setTimeout(resolve, 20));
    return created;
  });
  const snmp = loadAnew<typeof Snmp>("net-snmp");
  const session = snmp.createSession(address, "public", { retries: 10, timeout: 100 });
  const values = await new Promise<{ value: number }[]>((resolve, reject) => {
    session.get([`${oid}.0`], (error, found) => (error ? reject(error) : resolve(found as { value: number }[])));
  });
  expect(values[0].value).toBe(42);
  session.close();
  agent.close();
});

betweenTwoHosts("dns2: a server and its clients, over UDP and TCP", async ({ address, onServer }) => {
  const server = await onServer(async () => {
    const dns2 = loadAnew<typeof Dns2>("dns2");
    const { Packet } = dns2;
    const created = dns2.createServer({
      udp: true,
      tcp: true,
      handle: ((request: never, send: (response: unknown) => void) => {
        const response = Packet.createResponseFromRequest(request);
        const [question] = (request as { questions: { name: string }[] }).questions;
        response.answers.push({
          name: question.name,
          type: Packet.TYPE.A,
          class: Packet.CLASS.IN,
          ttl: 300,
          address: "192.0.2.53",
        } as never);
        send(response);
      }) as never,
    });
    await created.listen({ udp: { port: 53, address: "0.0.0.0", type: "udp4" } as never, tcp: { port: 53, address: "0.0.0.0" } as never });
    return created;
  });
  const dns2 = loadAnew<typeof Dns2>("dns2");
  const tcp = await dns2.TCPClient({ dns: address, port: 53 } as never)("example.org", "A" as never);
  expect((tcp.answers[0] as unknown as { address: string }).address).toBe("192.0.2.53");
  // A lost datagram is the application's to send again.
  const ask = dns2.UDPClient({ dns: address, port: 53 } as never);
  const udp = await Promise.any(Array.from({ length: 8 }, () => ask("example.org", "A" as never)));
  expect((udp.answers[0] as unknown as { address: string }).address).toBe("192.0.2.53");
  await server.close();
});

betweenTwoHosts("telnet-client: a login and a command", async ({ onServer }) => {
  const { server, port } = await onServer(async () => {
    const listener = net.createServer((socket) => {
      let step = 0;
      // Who logs in is asked when he is there: the client looks at the prompt alone.
      socket.write("login: ");
      socket.on("data", (bytes) => {
        const line = bytes.toString().trim();
        if (line === "") return;
        step += 1;
        socket.write(step === 1 ? "Password: " : step === 2 ? "Welcome\r\n/ # " : `${line}\r\nran ${line}\r\n/ # `);
      });
      socket.on("error", () => {});
    });
    const number = listening(listener);
    listener.listen(0);
    return { server: listener, port: await number };
  });
  const client = new Telnet();
  await client.connect({ host: "server", port, username: "me", password: "secret", shellPrompt: "/ # ", timeout: 20_000 });
  expect(await client.exec("uptime")).toContain("ran uptime");
  await client.end();
  await client.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});
