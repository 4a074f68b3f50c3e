/** The service: asked until it answers; meanwhile the form says why that takes long. */

import { $, say } from "./form.js";

const RETRY = 2000; // ms until the service is asked again when it is away
const SLOW = 6000; // ms after which the wait is explained

/** What the service refused, in its own sentence. */
export class Refusal extends Error {}

/** Wait, or until the signal ends the wait. */
export function sleep(ms, signal) {
  return new Promise((wake) => {
    setTimeout(wake, ms);
    signal?.addEventListener("abort", wake, { once: true });
  });
}

/**
 * Ask the service until it answers, and say so while it is away or busy.
 *
 * `makeBody` is called for every attempt, so that the newest strokes are sent. Throws a Refusal, or AbortError.
 */
export async function ask(path, makeBody, signal) {
  for (let isWaiting = false; ; isWaiting = true) {
    signal?.throwIfAborted();
    const init = makeBody ? { method: "POST", body: await makeBody(), signal } : { signal };
    const slow = setTimeout(() => {
      isWaiting = true;
      say("The service takes long to answer. Waiting…");
    }, SLOW);
    const reply = await fetch(path, init).catch((error) => (signal?.aborted ? Promise.reject(error) : null));
    clearTimeout(slow);
    if (isWaiting && reply?.ok) say("");
    if (reply?.ok) return reply.json();
    const body = await reply?.json().catch(() => null);
    signal?.throwIfAborted();
    if (reply && ![429, 502, 503, 504].includes(reply.status))
      throw new Refusal(body?.detail ?? `The service failed to answer (${reply.status}).`);
    say(reply ? "The service is busy. Trying again…" : "The service does not answer. Trying again…");
    await sleep(1000 * Number(reply?.headers.get("Retry-After")) || RETRY, signal);
  }
}

export function query(more = "") {
  const model = $("model-choice").hidden ? "" : $("model").value;
  const parts = [more, model && `model=${encodeURIComponent(model)}`].filter(Boolean);
  return parts.length ? `?${parts.join("&")}` : "";
}

/** Pack files; their bytes tell the service what they are, whatever their names and types say. */
export function packed(files) {
  const form = new FormData();
  files.forEach((file) => form.append("files", file, file.name));
  return form;
}
