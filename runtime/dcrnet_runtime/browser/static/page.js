// The page: loads and tests the model, then answers to a camera's frames or a photo.

import { measureAndSend, wantedReport } from "./bench.js";
import { readCard } from "./card.js";
import { FaceFinder } from "./faces.js";
import { Latencies } from "./latencies.js";
import { Network, fetched, loadEngine } from "./networks.js";
import { whyNotCovered } from "./preparation.js";
import { Recognizer } from "./recognizer.js";
import { selfTest } from "./self-test.js";

const MB = 1e6;
const LARGEST_PX = 4096; // a photo's longer side: phones' canvases end there
const REFUSED = {
  NotAllowedError: "The camera was refused: allow it for this page in the browser's settings, then start again.",
  NotFoundError: "No camera was found: connect one, or take a photo.",
  NotReadableError: "The camera is in use elsewhere: close the other program, then start again.",
};

const element = (id) => document.getElementById(id);
const picture = element("picture");
const canvas = picture.getContext("2d", { willReadFrequently: true });
let loaded = null;
let isRunning = false;

function say(text, state) {
  element("status").textContent = text;
  if (state) element("status").dataset.state = state;
}

async function load() {
  let bytes = 0;
  const onBytes = (count) => say(`Loading: ${((bytes += count) / MB).toFixed(1)} MB.`);
  const json = async (path) => JSON.parse(new TextDecoder().decode(await fetched(path)));
  const constants = await json("constants.json");
  const golden = await json("golden.json");
  const model = await fetched("model.tflite", onBytes);
  const card = await readCard(model);
  const problem = whyNotCovered(card.preprocess);
  if (problem) throw new Error(`this page cannot prepare faces for its model: ${problem}`);
  const asked = Number(new URLSearchParams(location.search).get("threads")) || undefined;
  const engine = await loadEngine(asked, onBytes);
  say("Preparing the networks.");
  const compiled = async (content) => Network.compile(content, engine.threads);
  const finder = new FaceFinder(
    await compiled(await fetched("detector.tflite")),
    await compiled(await fetched("mesh.tflite")),
    constants,
  );
  const recognizer = new Recognizer(finder, await compiled(model), card, constants);
  const slow = engine.simd === "relaxed" ? "" : ", which makes it slow: this browser lacks relaxed SIMD";
  const threads = engine.threads === 1 ? "1 thread" : `${engine.threads} threads`;
  element("engine").textContent = `LiteRT.js, ${threads}, ${engine.simd} SIMD${slow}`;
  element("model").textContent = `${card.name}, ${golden.model_sha256.slice(0, 12)}`;
  say("Testing itself.");
  const test = await selfTest(golden, card, constants.mesh, (crop) => recognizer.answer(crop));
  showSelfTest(test);
  loaded = { recognizer, engine, test, golden };
}

function showSelfTest(test) {
  const differences = `${test.codes} codes and ${test.probability.toFixed(4)} in probability`;
  element("self-test").dataset.passed = test.passed;
  element("self-test").textContent = test.passed
    ? `passed: ${test.cases} faces prepared and answered as by Python, ${differences} off at most`
    : `failed: ${differences} off at most, first at "${test.worst}"`;
  if (!test.passed) {
    throw new Error(`this browser computes the model wrongly (${differences} off): use another browser`);
  }
}

async function startCamera() {
  if (!navigator.mediaDevices) {
    say("A camera needs HTTPS or localhost: open this page so, or take a photo.", "failed");
    return;
  }
  const wish = { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 } };
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: wish, audio: false });
  } catch (error) {
    say(REFUSED[error.name] ?? `The camera does not start: ${error.message}.`, "failed");
    return;
  }
  const video = document.createElement("video");
  video.muted = video.playsInline = true;
  video.srcObject = stream;
  isRunning = true;
  showRunning();
  try {
    await video.play();
    say("Running.", "running");
    await followCamera(video, stream.getVideoTracks()[0]);
    say("Stopped.", "ready");
  } catch (error) {
    say(`The camera stopped: ${error.message}.`, "failed");
  } finally {
    stream.getTracks().forEach((track) => track.stop());
    isRunning = false;
    showRunning();
  }
}

async function followCamera(video, track) {
  const latencies = new Latencies();
  let shownMs = 0;
  while (isRunning && track.readyState === "live") {
    await new Promise(requestAnimationFrame);
    const lap = latencies.lap();
    picture.width = video.videoWidth;
    picture.height = video.videoHeight;
    canvas.drawImage(video, 0, 0);
    const frame = canvas.getImageData(0, 0, picture.width, picture.height);
    lap("grab");
    const faces = await loaded.recognizer.frame(frame, performance.now() / 1000, lap);
    draw(faces);
    lap("draw");
    lap("whole frame");
    if (performance.now() - shownMs > 250) {
      shownMs = performance.now();
      list(faces);
      showLatencies(latencies);
    }
  }
}

async function answerPhoto(file) {
  isRunning = false;
  say("Looking.", "busy");
  try {
    const bitmap = await createImageBitmap(file, { colorSpaceConversion: "none" });
    const zoom = Math.min(1, LARGEST_PX / Math.max(bitmap.width, bitmap.height));
    picture.width = Math.round(bitmap.width * zoom);
    picture.height = Math.round(bitmap.height * zoom);
    canvas.drawImage(bitmap, 0, 0, picture.width, picture.height);
  } catch (error) {
    say(`${file.name} is no picture that this browser reads: take another.`, "failed");
    return;
  }
  const frame = canvas.getImageData(0, 0, picture.width, picture.height);
  const faces = await loaded.recognizer.photo(frame);
  draw(faces);
  list(faces);
  const none = "No face was found: it must be upright and at least a tenth of the picture.";
  say(faces.length ? `Faces: ${faces.length}.` : none, "ready");
}

function draw(faces) {
  const unit = Math.max(picture.width, picture.height) / 640;
  canvas.lineWidth = 3 * unit;
  canvas.font = `600 ${18 * unit}px system-ui, sans-serif`;
  for (const { face, label, probability } of faces) {
    const { x, y, width, height } = face.box;
    const text = `${label} ${Math.round(100 * probability)} %`;
    canvas.strokeStyle = canvas.fillStyle = "#4cc4b0";
    canvas.strokeRect(x, y, width, height);
    const top = Math.max(y - 26 * unit, 0);
    canvas.fillRect(x, top, canvas.measureText(text).width + 12 * unit, 26 * unit);
    canvas.fillStyle = "#06231f";
    canvas.fillText(text, x + 6 * unit, top + 19 * unit);
  }
}

function list(faces) {
  element("faces").replaceChildren(
    ...faces.map(({ label, probabilities }) => {
      const item = document.createElement("li");
      item.dataset.label = label;
      item.dataset.probabilities = JSON.stringify(probabilities);
      const title = document.createElement("strong");
      title.textContent = label;
      const shares = loaded.recognizer.card.labels.map((name, i) => share(name, probabilities[i]));
      item.append(title, ...shares);
      return item;
    }),
  );
}

function share(name, probability) {
  const row = document.createElement("div");
  row.className = "share";
  const bar = document.createElement("progress");
  bar.value = probability;
  bar.setAttribute("aria-label", name);
  const [label, percent] = [name, `${Math.round(100 * probability)} %`].map((text) => {
    const span = document.createElement("span");
    span.textContent = text;
    return span;
  });
  row.append(label, bar, percent);
  return row;
}

function showLatencies(latencies) {
  element("latencies").replaceChildren(
    ...latencies.medians().map(([stage, ms, count]) => {
      const row = document.createElement("tr");
      row.dataset.stage = stage;
      row.dataset.count = count;
      for (const text of [stage, ms.toFixed(1)]) row.insertCell().textContent = text;
      return row;
    }),
  );
}

function showRunning() {
  element("start").hidden = isRunning;
  element("stop").hidden = !isRunning;
}

element("start").addEventListener("click", startCamera);
element("stop").addEventListener("click", () => (isRunning = false));
element("photo").addEventListener("change", (event) => {
  const [file] = event.target.files;
  if (file) answerPhoto(file);
});

try {
  await load();
  const token = wantedReport();
  if (token) {
    say("Measuring.", "busy");
    await measureAndSend(token, loaded, canvas, say);
    say("Sent: latencies, the browser's name, cores, and the answer to a stored picture.", "sent");
  }
  element("start").disabled = element("photo").disabled = false;
  if (!token) say("Ready.", "ready");
} catch (error) {
  say(`This page does not work here: ${error.message}.`, "failed");
}
