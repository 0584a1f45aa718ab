// Faces of a frame, {box, landmarks, score}: found by BlazeFace and MediaPipe's mesh, and followed
// by the mesh alone. All constants come from constants.json.

import {
  apply, boxAround, boxTransform, containment, inverse, overlap, rotatedSquare,
} from "./geometry.js";
import { sampledLinear } from "./images.js";

const sigmoid = (logit) => 1 / (1 + Math.exp(-Math.min(Math.max(logit, -80), 80)));

export class FaceFinder {
  /**
   * @param detector BlazeFace, a Network
   * @param mesh the landmark network
   * @param constants of constants.json
   */
  constructor(detector, mesh, constants) {
    this.detector = detector;
    this.mesh = mesh;
    this.constants = constants.detector;
    this.points = constants.mesh;
    this.anchors = anchorsOf(this.constants.grids);
  }

  /** The faces that are not known, best first. */
  async find(frame, known = []) {
    const faces = [];
    for (const { box, eyes, score } of await this.detect(frame)) {
      const seen = [...known, ...faces];
      if (seen.length >= this.constants.max_faces) break;
      if (this.isAmong(box, seen)) continue;
      const least = this.constants[seen.length > 0 ? "min_second_presence" : "min_score"];
      const face = await this.meshIn(frame, box, eyes, least, score);
      if (face && !this.isAmong(face.box, seen)) faces.push(face);
    }
    return faces;
  }

  isAmong(box, faces) {
    const { known_face_iou: iou, known_face_containment: share } = this.constants;
    return faces.some((face) => overlap(box, face.box) > iou || containment(box, face.box) > share);
  }

  /** Where a face of the frame before is now; null where it is not. */
  async follow(frame, face) {
    const middle = ([one, other]) => {
      const [p, q] = [face.landmarks[one], face.landmarks[other]];
      return [(p[0] + q[0]) / 2, (p[1] + q[1]) / 2];
    };
    const eyes = [this.points.right_eye, this.points.left_eye].map(middle);
    return this.meshIn(frame, face.box, eyes, this.constants.min_score);
  }

  async detect(frame) {
    const { input_px: size, keypoints, min_score: least } = this.constants;
    const side = Math.max(frame.width, frame.height);
    const square = {
      x: (frame.width - side) / 2, y: (frame.height - side) / 2, width: side, height: side,
    };
    const matrix = boxTransform(square, 1, size);
    const input = sampledLinear(frame, matrix, size, (code) => code / 127.5 - 1);
    const outputs = await this.detector.run(input);
    const [logits, regressors] = outputs.sort((one, other) => one.length - other.length);
    const width = 4 + 2 * keypoints;
    const candidates = [];
    this.anchors.forEach(([x, y], i) => {
      const score = sigmoid(logits[i]);
      if (score < least) return;
      const values = regressors.subarray(i * width, (i + 1) * width);
      const at = (k) => [values[k] / size + x, values[k + 1] / size + y];
      const [cx, cy] = at(0);
      const [w, h] = [values[2] / size, values[3] / size];
      const points = [[cx - w / 2, cy - h / 2], [cx + w / 2, cy + h / 2]];
      for (let k = 4; k < width; k += 2) points.push(at(k));
      candidates.push({ score, points });
    });
    const back = inverse(matrix);
    const toFrame = ([x, y]) => apply(back, [x * size - 0.5, y * size - 0.5]);
    return merged(candidates, this.constants.merged_iou).map(({ score, points }) => {
      const [low, high, ...keys] = points.map(toFrame);
      const { right_eye: right, left_eye: left } = this.constants;
      return { score, box: boxAround([low, high]), eyes: [keys[right], keys[left]] };
    });
  }

  /** The mesh within a box turned by the eyes' line; without a score, by its presence. */
  async meshIn(frame, box, [right, left], minPresence, score = null) {
    const angle = Math.atan2(left[1] - right[1], left[0] - right[0]);
    const side = Math.max(box.width, box.height) * this.constants.roi_scale;
    if (!(side >= 2 && Number.isFinite(side + angle + box.x + box.y))) return null;
    const size = this.mesh.shape[1];
    const centre = [box.x + box.width / 2, box.y + box.height / 2];
    const roi = rotatedSquare(centre, side, angle, size);
    const outputs = await this.mesh.run(sampledLinear(frame, roi, size, (code) => code / 255));
    const presence = sigmoid(outputs[1][0]);
    if (presence < minPresence) return null;
    const mesh = outputs.reduce((most, each) => (each.length > most.length ? each : most));
    const back = inverse(roi);
    const landmarks = Array.from({ length: this.points.landmarks }, (_, i) =>
      apply(back, [mesh[3 * i] - 0.5, mesh[3 * i + 1] - 0.5]).map(Math.fround),
    );
    return { box: boxAround(landmarks), landmarks, score: score ?? presence };
  }
}

function anchorsOf(grids) {
  const anchors = [];
  for (const [cells, perCell] of grids) {
    for (let y = 0; y < cells; y++) {
      for (let x = 0; x < cells; x++) {
        const centre = [(x + 0.5) / cells, (y + 0.5) / cells];
        for (let i = 0; i < perCell; i++) anchors.push(centre);
      }
    }
  }
  return anchors;
}

/** Overlapping candidates averaged by their scores, best first. */
function merged(candidates, iou) {
  let left = [...candidates].sort((one, other) => other.score - one.score);
  const found = [];
  while (left.length > 0) {
    const first = boxAround(left[0].points.slice(0, 2));
    const isSame = (each, i) => i === 0 || overlap(first, boxAround(each.points.slice(0, 2))) > iou;
    const group = left.filter(isSame);
    const total = group.reduce((sum, each) => sum + each.score, 0);
    const mean = (k, axis) =>
      group.reduce((sum, each) => sum + (each.score / total) * each.points[k][axis], 0);
    const points = group[0].points.map((_, k) => [mean(k, 0), mean(k, 1)]);
    found.push({ score: group[0].score, points });
    left = left.filter((each, i) => !isSame(each, i));
  }
  return found;
}
