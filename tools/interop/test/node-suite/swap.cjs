// Preloaded into a test program of Node's: `require("net")`, "dgram" and "dns" in its own files answer with ours, everywhere else with Node's.
const Module = require("node:module");
const { dgram, dns, net } = require(process.env.NETSTRATA_LOOPBACK);

const swapped = new Map(Object.entries({ net, dgram, dns }));
const { _load: load } = Module;
Module._load = function (request, parent, isMain) {
  const ours = swapped.get(request.replace(/^node:/, ""));
  return ours !== undefined && parent?.filename?.includes("/test/") ? ours : load.call(this, request, parent, isMain);
};
