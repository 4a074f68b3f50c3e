/** What the person knows of the numbers beforehand, as `read` takes it. */

import { $ } from "./form.js";

const FIELDS = ["allow", "pattern", "choices"];

/** Return the constraints that are filled in: `allow`, `pattern` and `choices`, which has one a line. */
export function constraints() {
  const filled = FIELDS.map((name) => [name, $(name).value.trim()]).filter(([, value]) => value);
  return Object.fromEntries(filled);
}

/** Call `act` when a constraint has been changed. */
export function onConstraint(act) {
  for (const name of FIELDS) $(name).addEventListener("change", act);
}
