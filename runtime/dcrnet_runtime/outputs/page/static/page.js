"use strict";

const WINDOW_S = 30, GONE_S = 2, STALE_S = 3, SPEAK_S = 3, FPS_S = 2, AGAIN_S = 5;
const KNOWN = ["anger", "contempt", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"];
const byId = (id) => document.getElementById(id);
const now = () => performance.now() / 1000;
const percent = (p) => `${Math.round(p * 100)} %`;

const cards = new Map(); // track id -> what is shown of a face
const ticks = []; // [seconds, frames observed] of the last FPS_S
let events = null, newest = -Infinity, spoken = -Infinity;

function tintOf(label, index) {
  return `var(--${KNOWN.includes(label) ? label : `other-${index % 4}`})`;
}

function bar(list, label, tint) {
  const item = byId("bar").content.firstElementChild.cloneNode(true);
  item.querySelector(".label").textContent = label;
  item.style.setProperty("--tint", tint);
  list.append(item);
  return item;
}

function setBar(item, share, value) {
  item.querySelector("i i").style.transform = `scaleX(${Math.min(1, share)})`;
  item.querySelector(".value").textContent = value;
}

function makeCard(id, labels) {
  const item = byId("face").content.firstElementChild.cloneNode(true);
  item.querySelector(".name").textContent = `Face ${id}`;
  const list = item.querySelector(".bars");
  const bars = labels.map((label, index) => bar(list, label, tintOf(label, index)));
  byId("faces").append(item);
  return { id, item, labels, bars, past: [], label: "", seen: 0 };
}

function showFace(face, time) {
  const { id, age_s, label, probability, probabilities } = face.track;
  const labels = Object.keys(probabilities);
  if (!cards.has(id)) cards.set(id, makeCard(id, labels));
  const card = cards.get(id);
  card.seen = time;
  card.item.classList.remove("gone");
  card.item.querySelector(".age").textContent = `for ${Math.round(age_s)} s`;
  const said = label ?? "uncertain"; // less probable than --min-confidence
  card.item.querySelector(".verdict b").textContent = said;
  card.item.querySelector(".verdict span").textContent = percent(probability);
  card.item.style.setProperty("--tint", label ? tintOf(label, labels.indexOf(label)) : "var(--accent)");
  labels.forEach((name, index) => {
    setBar(card.bars[index], probabilities[name], percent(probabilities[name]));
    card.bars[index].classList.toggle("top", name === label);
  });
  card.past.push([time, Object.values(probabilities)]);
  while (card.past[0][0] < time - WINDOW_S) card.past.shift();
  drawPast(card, time);
  if (card.label !== said && time - spoken > SPEAK_S) {
    byId("spoken").textContent = `Face ${id}: ${said}`;
    spoken = time;
  }
  card.label = said;
}

// Stacked columns: each is as wide as the time to the next one, each part as high as its probability.
function drawPast(card, time) {
  const canvas = card.item.querySelector("canvas"), pen = canvas.getContext("2d");
  const { width, height } = canvas, style = getComputedStyle(canvas);
  const colours = card.labels.map((label, i) => style.getPropertyValue(tintOf(label, i).slice(4, -1)));
  const x = (t) => Math.round(width * (1 - (time - t) / WINDOW_S));
  pen.clearRect(0, 0, width, height);
  card.past.forEach(([t, shares], index) => {
    const next = index + 1 < card.past.length ? card.past[index + 1][0] : time;
    const left = x(t), right = next - t < GONE_S ? x(next) : left + 2;
    let base = height;
    shares.forEach((share, i) => {
      const top = base - share * height;
      pen.fillStyle = colours[i];
      pen.fillRect(left, top, right - left, base - top);
      base = top;
    });
  });
}

function showPipeline(record, time) {
  const { frames, dropped, reconnects, broken, failures } = record.counters;
  if (ticks.length && frames < ticks.at(-1)[1]) ticks.length = 0; // the program was started again
  ticks.push([time, frames]);
  while (time - ticks[0][0] > FPS_S) ticks.shift();
  const span = time - ticks[0][0];
  byId("fps").textContent = span > 0.5 ? ((frames - ticks[0][1]) / span).toFixed(1) : "–";
  byId("delay").textContent = `${record.delay_ms.toFixed(0)} ms`;
  byId("dropped").textContent = `${dropped} (${percent(dropped / Math.max(1, dropped + frames))})`;
  byId("reconnects").textContent = reconnects;
  byId("broken").textContent = broken;
  const failed = Object.entries(failures).filter(([, count]) => count);
  byId("failures").textContent = failed.map(([name, count]) => `${name} ${count}`).join(", ") || "0";
  byId("failures").classList.toggle("bad", failed.length > 0);
  const { publish, ...before } = record.latency_ms; // the last stage, but of the frame before
  const stages = Object.entries(publish === undefined ? before : { ...before, publish }), list = byId("stages");
  const longest = Math.max(1, ...stages.map(([, ms]) => ms));
  if (list.children.length !== stages.length) {
    list.replaceChildren();
    stages.forEach(([name]) => bar(list, name, "var(--accent)"));
  }
  stages.forEach(([, ms], index) => setBar(list.children[index], ms / longest, ms.toFixed(1)));
}

function forgetLost(time) {
  for (const [id, card] of cards) {
    if (time - card.seen > GONE_S) {
      card.item.remove();
      cards.delete(id);
    } else card.item.classList.toggle("gone", time - card.seen > 0.3);
  }
  byId("nobody").hidden = cards.size > 0;
  byId("count").textContent = document.querySelectorAll(".face:not(.gone)").length || "";
}

function show(record) {
  const time = newest = now();
  byId("source").textContent = record.source.split("/").pop();
  record.faces.forEach((face) => showFace(face, time));
  forgetLost(time);
  showPipeline(record, time);
  say("live", "Live");
}

function say(state, text) {
  const field = byId("state");
  if (field.dataset.state === state && field.textContent === text) return;
  field.dataset.state = state;
  field.textContent = text;
}

function look() {
  events = new EventSource("events");
  events.onmessage = (message) => show(JSON.parse(message.data));
  events.onopen = () => { byId("picture").src = `stream?${Date.now()}`; };
  events.onerror = () => {
    say("lost", "Connection lost, trying again");
    if (events.readyState === EventSource.CLOSED) setTimeout(() => { leave(); update(); }, AGAIN_S * 1000);
  };
}

function leave() {
  const picture = byId("picture"), still = byId("still");
  if (picture.naturalWidth) {
    [still.width, still.height] = [picture.naturalWidth, picture.naturalHeight];
    still.getContext("2d").drawImage(picture, 0, 0);
    still.hidden = false;
  }
  picture.removeAttribute("src");
  events?.close();
  events = null;
}

// Nobody looks at a hidden page: the device need not encode pictures for it.
function update() {
  const isPaused = byId("pause").getAttribute("aria-pressed") === "true";
  if (isPaused || document.hidden) leave();
  else if (!events) look();
  if (isPaused) say("paused", "Paused");
}

byId("pause").addEventListener("click", ({ target }) => {
  const isPaused = target.getAttribute("aria-pressed") !== "true";
  target.setAttribute("aria-pressed", isPaused);
  update();
});
byId("picture").addEventListener("load", () => { byId("still").hidden = true; });
document.addEventListener("visibilitychange", update);
setInterval(() => {
  if (events?.readyState === EventSource.OPEN && now() - newest > STALE_S) {
    say("waiting", newest > 0 ? "No new picture" : "Waiting");
  }
}, 500);
update();
