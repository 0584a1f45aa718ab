// From a frame to expressions: for one photo, and for a camera's frames with faces followed.

import { overlap } from "./geometry.js";
import { prepare } from "./preparation.js";

export class Recognizer {
  /**
   * @param finder a FaceFinder
   * @param network the model
   * @param card the model's
   * @param constants of constants.json
   */
  constructor(finder, network, card, constants) {
    this.finder = finder;
    this.network = network;
    this.card = card;
    this.constants = constants;
    this.tracks = [];
    this.searchedS = -Infinity;
  }

  /** The network's input to its probabilities, one number a label. */
  async answer(crop) {
    const rgb = new Uint8Array(crop.data.length * 3);
    for (let i = 0; i < crop.data.length; i++) rgb.fill(crop.data[i], 3 * i, 3 * i + 3);
    return Array.from((await this.network.run(rgb))[0]);
  }

  crop(frame, face) {
    return prepare(frame, face, this.card.preprocess, this.constants.mesh);
  }

  /** Every face of a photo with its probabilities, [{face, label, probabilities}]. */
  async photo(frame) {
    const seen = [];
    for (const face of await this.finder.find(frame)) {
      const crop = this.crop(frame, face);
      if (crop) seen.push(this.labelled(face, await this.answer(crop)));
    }
    return seen;
  }

  /**
   * Every face of a camera's frame, smoothed over time, largest first.
   * @param timeS of the frame
   * @param lap is called behind each stage, with its name
   */
  async frame(frame, timeS, lap) {
    await this.follow(frame, timeS);
    lap("find");
    const crops = this.tracks.map((track) => this.crop(frame, track.face));
    lap("prepare");
    for (const [i, track] of this.tracks.entries()) {
      if (crops[i]) track.update(await this.answer(crops[i]), timeS, this.constants.smoothing);
    }
    lap("network");
    return this.tracks
      .filter((track) => track.mean)
      .map((track) => this.labelled(track.face, track.mean, track.label));
  }

  async follow(frame, timeS) {
    const { redetect_s: every, one_face_iou: iou, max_faces: most, largest_share: largest } =
      this.constants.detector;
    const isPossible = (face) => isSane(face, frame, largest);
    const before = this.tracks.length;
    for (const track of this.tracks) track.face = await this.finder.follow(frame, track.face);
    this.tracks = distinct(this.tracks.filter((track) => isPossible(track.face)), iou);
    const isDue = this.tracks.length < Math.max(before, 1) || timeS - this.searchedS >= every;
    if (isDue && this.tracks.length < most) {
      this.searchedS = timeS;
      const faces = await this.finder.find(frame, this.tracks.map((track) => track.face));
      const added = faces.filter(isPossible).map((face) => new Track(face));
      this.tracks = distinct([...this.tracks, ...added], iou);
    }
    const area = ({ face }) => face.box.width * face.box.height;
    this.tracks.sort((one, other) => area(other) - area(one));
  }

  labelled(face, probabilities, label = indexOfMost(probabilities)) {
    return { face, label: this.card.labels[label], probability: probabilities[label], probabilities };
  }
}

/** A face over time: an exponential mean by time, and a label that does not flicker. */
class Track {
  constructor(face) {
    this.face = face;
    this.mean = null;
    this.label = 0;
  }

  update(probabilities, timeS, { time_constant_s: constantS, margin }) {
    if (!this.mean) {
      this.mean = probabilities;
      this.label = indexOfMost(probabilities);
    } else {
      const passedS = Math.max(0, timeS - this.timeS);
      const weight = constantS > 0 ? -Math.expm1(-passedS / constantS) : 1;
      this.mean = this.mean.map((mean, i) => mean + weight * (probabilities[i] - mean));
      const best = indexOfMost(this.mean);
      if (this.mean[best] > this.mean[this.label] + margin) this.label = best;
    }
    this.timeS = timeS;
  }
}

const indexOfMost = (values) => values.indexOf(Math.max(...values));

/** Whether a box is one that a face of this frame can have. */
function isSane(face, frame, largest) {
  if (!face) return false;
  const { x, y, width, height } = face.box;
  const most = largest * Math.max(frame.width, frame.height);
  const isSized = Math.min(width, height) > 0 && Math.max(width, height) <= most;
  return isSized && x > -width && x < frame.width && y > -height && y < frame.height;
}

/** Without a second mesh on one face: the one that is more of a face stays. */
function distinct(tracks, iou) {
  const kept = [];
  for (const track of [...tracks].sort((one, other) => other.face.score - one.face.score)) {
    if (kept.every((other) => overlap(track.face.box, other.face.box) < iou)) kept.push(track);
  }
  return kept;
}
