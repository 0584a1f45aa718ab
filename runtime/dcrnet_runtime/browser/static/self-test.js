// Whether this browser prepares faces as Python does, and answers as Python does: golden.json.

import { inflated } from "./card.js";
import { prepare } from "./preparation.js";

/**
 * @param golden of golden.json
 * @param card the model's
 * @param mesh of constants.json
 * @param answer from a crop to probabilities; null where the network is left out
 * @returns {passed, cases, codes, probability, worst}: the largest differences, and where
 */
export async function selfTest(golden, card, mesh, answer) {
  if (!isSame(golden.spec, card.preprocess) || !isSame(golden.mesh, mesh)) {
    throw new Error("golden.json is of another model: write the page again");
  }
  const frames = {};
  for (const [name, frame] of Object.entries(golden.frames)) {
    frames[name] = { ...frame, data: withAlpha(await unpacked(frame.rgb)) };
  }
  const result = { passed: true, cases: golden.cases.length, codes: 0, probability: 0, worst: "" };
  for (const each of golden.cases) {
    const crop = prepare(frames[each.frame], each, card.preprocess, mesh);
    const codes = largest(crop?.data ?? [], await unpacked(each.crop));
    const probability = answer && crop ? largest(await answer(crop), each.probabilities) : 0;
    const isWrong = codes > golden.tolerance.codes || probability > golden.tolerance.probability;
    if (isWrong && result.passed) Object.assign(result, { passed: false, worst: each.name });
    result.codes = Math.max(result.codes, codes);
    result.probability = Math.max(result.probability, probability);
  }
  return result;
}

async function unpacked(text) {
  return inflated(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)), "deflate");
}

function withAlpha(rgb) {
  const rgba = new Uint8ClampedArray((rgb.length / 3) * 4).fill(255);
  for (let i = 0; i < rgb.length; i++) rgba[4 * Math.floor(i / 3) + (i % 3)] = rgb[i];
  return rgba;
}

/** The largest difference; endless where one is no number or the lengths differ. */
function largest(values, wanted) {
  if (values.length !== wanted.length) return Infinity;
  let most = 0;
  for (let i = 0; i < wanted.length; i++) {
    const difference = Math.abs(values[i] - wanted[i]);
    if (!(difference <= most)) most = Number.isNaN(difference) ? Infinity : difference;
  }
  return most;
}

/** Whether two JSON values are the same, whatever the order of their fields. */
function isSame(one, other) {
  if (typeof one !== "object" || one === null || typeof other !== "object" || other === null) {
    return one === other;
  }
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length && names.every((name) => isSame(one[name], other[name]))
  );
}
