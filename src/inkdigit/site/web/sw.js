/**
 * The service worker: keeps the whole site, so that it works without a network.
 *
 * A build's files are in a folder of their own, and only index.html names that folder: so no build mixes with another,
 * whichever of them is asked for. index.html comes from the network if that answers in time, else from the newest build that
 * is kept. The build before is kept too, for the pages that it has open.
 */

const BUILD = "@BUILD@";
const FILES = "@FILES@"; // [address, integrity] of each
const OURS = `inkdigit ${registration.scope} `; // other sites of this origin keep files of their own
const RUNTIME = /\.wasm\.packed$/;
const KEPT = 2; // builds
const PATIENCE = 1500; // ms that the network may take for index.html

self.addEventListener("install", (event) => event.waitUntil(keep().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(forget().then(() => self.clients.claim())));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin) return;
  event.respondWith(request.mode === "navigate" ? newest(request) : kept(request));
});

/** Keep all files of this build, or none: each must be the one that was built. */
async function keep() {
  const cache = await caches.open(OURS + BUILD);
  // The page has loaded most of them already, and a build's files never change.
  const cacheOf = (file) => (file.startsWith("web-") ? "force-cache" : "no-cache");
  const requests = FILES.map(([file, integrity]) => new Request(file, { integrity, cache: cacheOf(file) }));
  await cache.addAll(requests.filter(({ url }) => !RUNTIME.test(url)));
  await Promise.all(requests.filter(({ url }) => RUNTIME.test(url)).map((request) => unpack(request, cache)));
}

/** Keep the runtime unpacked: of such a response the browser also keeps what it has compiled. */
async function unpack(request, cache) {
  const packed = await fetch(request);
  const headers = { "Content-Type": "application/wasm" };
  const binary = new Response(packed.body.pipeThrough(new DecompressionStream("gzip")), { headers });
  await cache.put(request.url.replace(RUNTIME, ".wasm"), binary);
}

/** Delete all but the newest builds. */
async function forget() {
  const others = (await caches.keys()).filter((name) => name.startsWith(OURS) && name !== OURS + BUILD);
  await Promise.all(others.slice(0, others.length - KEPT + 1).map((name) => caches.delete(name)));
}

/** Return the page: from the network if it answers in time, else the one that is kept. */
async function newest(request) {
  const page = await (await caches.open(OURS + BUILD)).match("./");
  const late = new Promise((done) => setTimeout(done, PATIENCE, null));
  const answer = await Promise.race([fetch(request, { cache: "no-cache" }).catch(() => null), late]);
  return answer?.ok ? answer : (page ?? fetch(request));
}

async function kept(request) {
  return (await caches.match(request, { ignoreSearch: true })) ?? fetch(request);
}
