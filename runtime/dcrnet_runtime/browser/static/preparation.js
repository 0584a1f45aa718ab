// The preprocessing contract: from a frame and a face to the network's input. A spec is a model
// card's, a face is {box, landmarks}: landmarks are [x, y] pairs in px of the frame, or null.

import { blurred, dilated, lumaOf, rint, shrunk, warpedCubic } from "./images.js";
import { apply, boxTransform, inverse, similarity, zoomOf } from "./geometry.js";
import { convexHull, fillConvex } from "./polygons.js";

const COVERED = { version: [1], colour: ["luma"], interpolation: ["cubic"] };
const KNOWN = { ...COVERED, alignment: ["landmarks", "box"], border: ["replicate", "fill"] };

/** Why this page cannot prepare faces for a spec; empty where it can. */
export function whyNotCovered(spec) {
  return Object.entries(KNOWN)
    .filter(([field, values]) => !values.includes(spec[field]))
    .map(([field, values]) => `${field} is ${spec[field]}, this page knows ${values.join(", ")}`)
    .join("; ");
}

/**
 * The network's input, one channel of it: all three are equal.
 * @param frame {data, width, height}, RGBA as of a canvas
 * @param face {box, landmarks}
 * @param spec the model's contract
 * @param mesh which landmarks are the five points, and the corners of the kept regions
 * @returns {data: Uint8Array, width, height}, or null where the face lies outside the frame
 */
export function prepare(frame, face, spec, mesh) {
  const usesLandmarks = spec.alignment === "landmarks" && face.landmarks !== null;
  const matrix = usesLandmarks
    ? similarity(fivePoints(face.landmarks, mesh), templateOf(spec))
    : boxTransform(face.box, spec.box_scale, spec.size_px);
  const region = matrix && visibleRegion(matrix, spec, frame);
  if (!region) return null;
  let crop = correctGamma(warp(frame, matrix, region, spec), spec);
  if (spec.focus_strength > 0 && usesLandmarks) {
    const landmarks = face.landmarks.map((point) => apply(matrix, point));
    crop = suppress(crop, focusMask(landmarks, spec, mesh.regions), spec);
  }
  return crop;
}

/** Each of the five points is the middle of two landmarks, in float32. */
function fivePoints(landmarks, mesh) {
  const middle = (a, b) => Math.fround(Math.fround(a + b) / 2);
  return mesh.five_starts.map((start, i) => {
    const [one, other] = [landmarks[start], landmarks[mesh.five_ends[i]]];
    return [middle(one[0], other[0]), middle(one[1], other[1])];
  });
}

function templateOf(spec) {
  return spec.template.map(([x, y]) => [x * spec.size_px - 0.5, y * spec.size_px - 0.5]);
}

/** The frame's pixels that the crop shows, with a margin for low-pass and kernel. */
function visibleRegion(matrix, spec, frame) {
  const back = inverse(matrix);
  const centre = (spec.size_px - 1) / 2;
  const [x, y] = apply(back, [centre, centre]);
  const half = spec.size_px / 2;
  const width = half * (Math.abs(back[0]) + Math.abs(back[1]));
  const height = half * (Math.abs(back[3]) + Math.abs(back[4]));
  const margin = 3 * Math.max(1, spec.size_px / zoomOf(matrix) / spec.source_px);
  const left = Math.max(Math.floor(x - width - margin), 0);
  const top = Math.max(Math.floor(y - height - margin), 0);
  const right = Math.min(Math.ceil(x + width + margin) + 1, frame.width);
  const bottom = Math.min(Math.ceil(y + height + margin) + 1, frame.height);
  return left < right && top < bottom ? [left, top, right, bottom] : null;
}

/** The region averaged down to `source_px` across the crop, then warped into it. */
function warp(frame, matrix, [left, top, right, bottom], spec) {
  const region = lumaOf(frame, left, top, right, bottom);
  const shrink = spec.size_px / zoomOf(matrix) / spec.source_px;
  const width = shrink <= 1 ? region.width : Math.max(1, rint(region.width / shrink));
  const height = shrink <= 1 ? region.height : Math.max(1, rint(region.height / shrink));
  const [wide, high] = [region.width / width, region.height / height];
  const [a, b, x, c, d, y] = matrix;
  const [startX, startY] = [left + (wide - 1) / 2, top + (high - 1) / 2];
  const toCrop = [
    a * wide, b * high, a * startX + b * startY + x,
    c * wide, d * high, c * startX + d * startY + y,
  ];
  const fill = spec.border === "fill" ? spec.fill : null;
  return warpedCubic(shrunk(region, width, height), toCrop, spec.size_px, fill);
}

/** Bring the mean to mid-grey, with an exponent within the spec's limits. */
function correctGamma(crop, spec) {
  if (spec.gamma_min === 1 && spec.gamma_max === 1) return crop;
  const sum = crop.data.reduce((total, code) => total + code, 0);
  const mean = Math.min(Math.max(sum / crop.data.length, 1), 254);
  const wanted = Math.log(0.5) / Math.log(mean / 255);
  const gamma = Math.min(Math.max(wanted, spec.gamma_min), spec.gamma_max);
  const table = Uint8Array.from({ length: 256 }, (_, i) => rint(255 * (i / 255) ** gamma));
  return { ...crop, data: crop.data.map((code) => table[code]) };
}

/** How much of each crop pixel is kept, 0..255: mouth, nose, eyes and eyebrows, feathered. */
function focusMask(landmarks, spec, regions) {
  const size = spec.size_px;
  const mask = { data: new Uint8Array(size * size), width: size, height: size };
  const fine = (value) => rint(Math.min(Math.max(value, -4 * size), 4 * size) * 16);
  for (const region of regions) {
    const points = region.map((i) => ({ x: fine(landmarks[i][0]), y: fine(landmarks[i][1]) }));
    fillConvex(mask, convexHull(points));
  }
  const radius = rint(spec.focus_margin * size);
  return radius > 0 ? blurred(dilated(mask, radius), radius) : mask;
}

/** Blend what the mask leaves out towards the spec's fill, in float32. */
function suppress(crop, mask, spec) {
  const f = Math.fround;
  const strength = f(spec.focus_strength);
  const keep = Float32Array.from({ length: 256 }, (_, i) => 1 - f(strength * f(1 - f(i / 255))));
  const data = crop.data.map((code, i) =>
    rint(f(f((code - spec.fill) * keep[mask.data[i]]) + spec.fill)),
  );
  return { ...crop, data };
}
