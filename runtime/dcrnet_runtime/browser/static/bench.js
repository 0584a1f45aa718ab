// The page's own measurement, asked for by an address that ends in #report=TOKEN.

import { fetched } from "./networks.js";

const DIGITS = 1000; // of a ms

/** The token in the page's address; null where no report is asked for. */
export function wantedReport() {
  return new URLSearchParams(location.hash.slice(1)).get("report");
}

/**
 * Measure what bench.json asks for, and send it, once, to where the page came from.
 * @param loaded {recognizer, engine}
 * @param canvas that frames are drawn to
 * @param say is told how far it is
 */
export async function measureAndSend(token, { recognizer, engine }, canvas, say) {
  const wish = JSON.parse(new TextDecoder().decode(await fetched("bench.json")));
  const scenes = await usableScenes(wish.scenes, recognizer, canvas);
  const stages = { find: [], prepare: [], network: [], whole: [], rest: [] };
  const model = [];
  let first = null;
  for (let round = -wish.warm_up_rounds; round < wish.rounds; round++) {
    if (round % 8 === 0) {
      say(`Measuring: ${Math.max(round, 0)} of ${wish.rounds}. Leave this page in front.`);
      await new Promise(requestAnimationFrame);
    }
    const scene = scenes[(round + wish.warm_up_rounds) % scenes.length];
    const times = await frame(scene, recognizer, canvas);
    first ??= times.answer;
    const aloneMs = await alone(times.crop, recognizer);
    if (round < 0) continue;
    for (const name of Object.keys(stages)) stages[name].push(rounded(times[name]));
    model.push(rounded(aloneMs));
  }
  const body = JSON.stringify({
    user_agent: navigator.userAgent,
    cores: navigator.hardwareConcurrency,
    threads: engine.threads,
    simd: engine.simd,
    warm_up_rounds: wish.warm_up_rounds,
    answer: first,
    model_ms: model,
    stages_ms: stages,
  });
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await fetch("report", { method: "POST", headers, body });
  if (!answer.ok) throw new Error(`the report was refused: ${await answer.text()}`);
}

const rounded = (ms) => Math.round(ms * DIGITS) / DIGITS;

async function usableScenes(names, recognizer, canvas) {
  const scenes = [];
  for (const name of names) {
    const bitmap = await createImageBitmap(new Blob([await fetched(name)]));
    const [face] = await recognizer.finder.find(drawn(bitmap, canvas));
    if (face) scenes.push(bitmap);
  }
  if (scenes.length === 0) throw new Error("no face was found in the frames to measure with");
  return scenes;
}

function drawn(bitmap, canvas) {
  canvas.canvas.width = bitmap.width;
  canvas.canvas.height = bitmap.height;
  canvas.drawImage(bitmap, 0, 0);
  return canvas.getImageData(0, 0, bitmap.width, bitmap.height);
}

/** One frame: faces found anew, the first one prepared and answered. */
async function frame(bitmap, recognizer, canvas) {
  const start = performance.now();
  const picture = drawn(bitmap, canvas);
  const grabbed = performance.now();
  const [face] = await recognizer.finder.find(picture);
  const found = performance.now();
  const crop = recognizer.crop(picture, face);
  const prepared = performance.now();
  const answer = await recognizer.answer(crop);
  const answered = performance.now();
  const { x, y, width, height } = face.box;
  canvas.strokeRect(x, y, width, height);
  const end = performance.now();
  return {
    find: found - grabbed,
    prepare: prepared - found,
    network: answered - prepared,
    whole: answered - grabbed,
    rest: end - start - (found - grabbed) - (answered - prepared),
    crop,
    answer,
  };
}

async function alone(crop, recognizer) {
  const start = performance.now();
  await recognizer.answer(crop);
  return performance.now() - start;
}
