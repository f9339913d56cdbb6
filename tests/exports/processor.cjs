// Perfetto's trace processor, compiled to WebAssembly for its page, outside of a browser: requests come on standard
// input and replies go to standard output, as TraceProcessorRpcStream has them. The argument is the page's folder.
const fs = require("fs"), path = require("path"), vm = require("vm");
const folder = process.argv[2];

// What the page's script asks of a worker of a browser.
globalThis.self = globalThis;
globalThis.WorkerGlobalScope = Object;
globalThis.location = { href: "file:///" };
globalThis.XMLHttpRequest = class {
  open(_, name) { this.name = name; }
  send() { this.response = new Uint8Array(fs.readFileSync(path.join(folder, this.name))).buffer; }
};
console.log = console.warn = console.error;
delete globalThis.process;

const replies = [];
const port = { postMessage: (bytes) => replies.push(Buffer.from(bytes)) };
vm.runInThisContext(fs.readFileSync(path.join(folder, "engine_bundle.js"), "utf8"));
self.onmessage({ data: port });
setImmediate(() => {
  port.onmessage({ data: new Uint8Array(fs.readFileSync(0)) });
  for (const reply of replies) fs.writeSync(1, reply);
});
