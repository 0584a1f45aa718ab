// Convex hulls and their anti-aliased filling, pixel for pixel as OpenCV 4 computes them: its
// methods (convhull.cpp, drawing.cpp; Apache-2.0, see NOTICE) in JavaScript. Points are {x, y}
// whole numbers in 1/16 px.

const SHIFT = 16; // fractional bits while drawing
const ONE = 1 << SHIFT;
const POINT_SHIFT = 4; // fractional bits of the points
const HALF = 1 << (POINT_SHIFT - 1);

/** cv2.convexHull: the corners in its order. */
export function convexHull(points) {
  const order = points.map((_, i) => i);
  order.sort((i, j) => points[i].x - points[j].x || points[i].y - points[j].y || i - j);
  const sorted = order.map((i) => points[i]);
  const last = sorted.length - 1;
  if (sorted[0].x === sorted[last].x && sorted[0].y === sorted[last].y) return [points[order[0]]];
  let lowest = 0;
  let highest = 0;
  sorted.forEach((p, i) => {
    if (p.y < sorted[lowest].y) lowest = i;
    if (p.y > sorted[highest].y) highest = i;
  });
  const hull = [];
  const join = (one, other) => {
    hull.push(...one.slice(0, -1));
    for (let i = other.length - 1; i > 0; i--) hull.push(other[i]);
  };
  const right = chain(sorted, last, highest, -1, -1);
  const left = chain(sorted, 0, highest, -1, 1);
  join(right, left);
  const stop = left.length > 2 ? left[1] : right.length > 2 ? right[right.length - 2] : -1;
  let lowerLeft = chain(sorted, 0, lowest, 1, -1);
  let lowerRight = chain(sorted, last, lowest, 1, 1);
  if (stop >= 0) {
    const both = lowerLeft.length + lowerRight.length;
    const check =
      lowerLeft.length > 2 ? lowerLeft[1] : both > 2 ? lowerRight[2 - lowerLeft.length] : -1;
    const isSame = (i, j) => sorted[i].x === sorted[j].x && sorted[i].y === sorted[j].y;
    if (check === stop || (check >= 0 && isSame(check, stop))) {
      lowerLeft = lowerLeft.slice(0, 2); // all on one line
      lowerRight = lowerRight.slice(0, 2);
    }
  }
  join(lowerLeft, lowerRight);
  return inTheirOrder(hull.map((i) => order[i])).map((i) => points[i]);
}

/** Sklansky's scan from one extreme point to another. */
function chain(points, start, end, ySign, turnSign) {
  const step = end > start ? 1 : -1;
  if (start === end || (points[start].x === points[end].x && points[start].y === points[end].y)) {
    return [start];
  }
  let before = start;
  let at = before + step;
  let next = at + step;
  const stack = [before, at, next];
  while (next !== end + step) {
    const by = points[next].y - points[at].y;
    if (Math.sign(by) === ySign) {
      next += step;
      stack[stack.length - 1] = next;
      continue;
    }
    const ax = points[at].x - points[before].x;
    const ay = points[at].y - points[before].y;
    const bx = points[next].x - points[at].x;
    if (Math.sign(ay * bx - ax * by) === turnSign && (ax !== 0 || ay !== 0)) {
      before = at;
      at = next;
      next += step;
      stack.push(next);
    } else if (before === start) {
      at = next;
      stack[1] = at;
      next += step;
      stack[2] = next;
    } else {
      stack[stack.length - 2] = next;
      at = before;
      before = stack[stack.length - 4];
      stack.pop();
    }
  }
  stack.pop();
  return stack;
}

/** Turn the ring so that the points' numbers rise or fall along it, where a turn brings that. */
function inTheirOrder(ring) {
  const count = ring.length;
  if (count < 3) return ring;
  let least = 0;
  let most = 0;
  let rises = 0;
  for (let i = 1; i < count; i++) {
    if (ring[i - 1] < ring[i]) rises++;
    if (rises > 1 && rises <= i - 2) break;
    if (ring[i] < ring[least]) least = i;
    if (ring[i] > ring[most]) most = i;
  }
  const apart = Math.abs(most - least);
  if ((apart !== 1 && apart !== count - 1) || (rises > 1 && rises < count - 2)) return ring;
  const isAscending = (most + 1) % count === least;
  const start = isAscending ? least : most;
  if (start <= 0) return ring;
  const turned = ring.map((_, i) => ring[(start + i) % count]);
  const isOrdered = turned.every((v, i) => i === count - 1 || isAscending === v < turned[i + 1]);
  return isOrdered ? turned : ring;
}

/** cv2.fillConvexPoly with LINE_AA, white, into a picture of one channel. */
export function fillConvex(image, corners) {
  let from = corners[corners.length - 1];
  for (const to of corners) {
    drawLine(image, from, to);
    from = to;
  }
  if (corners.length >= 3) fillRows(image, corners);
}

const toPixel = (v) => (v + HALF) >> POINT_SHIFT;
const toFine = (v) => v * (1 << (SHIFT - POINT_SHIFT));

function fillRows(image, corners) {
  const count = corners.length;
  const xs = corners.map((p) => p.x);
  const ys = corners.map((p) => p.y);
  const first = toPixel(Math.min(...ys));
  const right = toPixel(Math.max(...xs));
  if (right < 0 || toPixel(Math.max(...ys)) < 0) return;
  if (toPixel(Math.min(...xs)) >= image.width || first >= image.height) return;
  const last = Math.min(toPixel(Math.max(...ys)), image.height - 1);
  const top = ys.indexOf(Math.min(...ys));
  const edge = (step) => ({ at: top, step, x: -ONE, slope: 0, end: first });
  const edges = [edge(1), edge(count - 1)];
  let left = count;
  const advance = (side, y) => {
    let at = side.at;
    let next = (at + side.step) % count;
    while (left-- > 0) {
      const end = toPixel(corners[next].y);
      if (end > y) {
        const start = toFine(corners[at].x);
        side.slope = Math.trunc((2 * (toFine(corners[next].x) - start) + end - y) / (2 * (end - y)));
        side.end = end;
        side.x = start;
        side.at = next;
        return;
      }
      at = next;
      next = (next + side.step) % count;
    }
  };
  for (let y = first; y <= last; y++) {
    if (y < last || y === first) {
      for (const side of edges) if (y >= side.end) advance(side, y);
    }
    if (y >= 0) {
      const [low, high] = edges[0].x > edges[1].x ? [edges[1], edges[0]] : edges;
      const begin = Math.max((low.x + ONE - 1) >> SHIFT, 0);
      const end = Math.min(high.x >> SHIFT, image.width - 1);
      if (begin <= end) image.data.fill(255, y * image.width + begin, y * image.width + end + 1);
    }
    for (const side of edges) side.x += side.slope;
  }
}

// How much wider a line is for its slope, and how a pixel's share falls with its distance.
const SLOPE_CORRECTION = [
  181, 181, 181, 182, 182, 183, 184, 185, 187, 188, 190, 192, 194, 196, 198, 201, 203, 206, 209, 211,
  214, 218, 221, 224, 227, 231, 235, 238, 242, 246, 250, 254,
];
const SHARES = [
  168, 177, 185, 194, 202, 210, 218, 224, 231, 236, 241, 246, 249, 252, 254, 254, 254, 254, 252, 249,
  246, 241, 236, 231, 224, 218, 210, 202, 194, 185, 177, 168, 158, 149, 140, 131, 122, 114, 105, 97,
  89, 82, 75, 68, 62, 56, 50, 45, 40, 36, 32, 28, 25, 22, 19, 16, 14, 12, 11, 9, 8, 7, 5, 5,
];

function drawLine(image, start, end) {
  const clipped = clippedLine(
    [toFine(start.x), toFine(start.y), toFine(end.x), toFine(end.y)],
    image.width * ONE - 1,
    image.height * ONE - 1,
  );
  if (!clipped) return;
  const [x1, y1, x2, y2] = clipped;
  const isFlat = Math.abs(x2 - x1) > Math.abs(y2 - y1);
  // Along the line from its lower end upwards, `u` being the axis on which it is longer.
  let [u1, v1, u2, v2] = isFlat ? [x1, y1, x2, y2] : [y1, x1, y2, x2];
  if (u2 < u1) [u1, v1, u2, v2] = [u2, v2, u1, v1];
  const step = Math.trunc(((v2 - v1) * ONE) / ((u2 - u1) | 1));
  u2 += ONE;
  let left = (u2 >> SHIFT) - (u1 >> SHIFT);
  v1 += Math.floor((step * -(u1 & (ONE - 1))) / ONE) + (ONE >> 1);
  const steep = ((step >> (SHIFT - 5)) & 0x3f) ^ (step < 0 ? 0x3f : 0);
  const ends = endShares(
    steep & 0x20 ? 0x100 : SLOPE_CORRECTION[steep],
    (u1 >> (SHIFT - 7)) & 0x78,
    (u2 >> (SHIFT - 7)) & 0x78,
  );
  const [alongU, alongV] = isFlat ? [1, image.width] : [image.width, 1];
  const [length, breadth] = isFlat ? [image.width, image.height] : [image.height, image.width];
  const put = (u, v, share) => {
    if (v < 0 || v >= breadth) return;
    const at = u * alongU + v * alongV;
    // Twice, as OpenCV does.
    image.data[at] += ((255 - image.data[at]) * (share & 0xff) + 127) >> 8;
    image.data[at] += ((255 - image.data[at]) * (share & 0xff) + 127) >> 8;
  };
  const kind = (n) => (n >= 2 ? 2 : 1) & (n | 2);
  for (let u = u1 >> SHIFT, done = 0; left >= 0; u++, v1 += step, done++, left--) {
    if (u < 0 || u >= length) continue;
    const v = (v1 >> SHIFT) - 1;
    const correction = ends[kind(done) * 3 + kind(left)];
    const distance = (v1 >> (SHIFT - 5)) & 31;
    put(u, v, (correction * SHARES[distance + 32]) >> 8);
    put(u, v + 1, (correction * SHARES[distance]) >> 8);
    put(u, v + 2, (correction * SHARES[63 - distance]) >> 8);
  }
}

/** Shares of the pixels near a line's ends, by how many lie before and behind. */
function endShares(slope, i, j) {
  const whole = slope << 7;
  const head = ((0x78 - i) | 4) * slope;
  const tail = (j | 4) * slope;
  const code = (v) => (v >> 8) & 0x1ff;
  const single = code((((j - i) & 0x78) | 4) * slope);
  const pair = code(((j - i + 0x80) | 4) * slope);
  return [0, single, code(head), single, pair, code(head + whole), code(tail), code(tail + whole), slope];
}

/** The part of a line within 0..right, 0..bottom; null where there is none. */
function clippedLine([x1, y1, x2, y2], right, bottom) {
  const sideOf = (x) => (x < 0 ? 1 : 0) + (x > right ? 2 : 0);
  const placeOf = (x, y) => sideOf(x) + (y < 0 ? 4 : 0) + (y > bottom ? 8 : 0);
  let one = placeOf(x1, y1);
  let two = placeOf(x2, y2);
  if ((one & two) === 0 && (one | two) !== 0) {
    if (one & 12) {
      const edge = one < 8 ? 0 : bottom;
      x1 += Math.trunc(((edge - y1) * (x2 - x1)) / (y2 - y1));
      y1 = edge;
      one = sideOf(x1);
    }
    if (two & 12) {
      const edge = two < 8 ? 0 : bottom;
      x2 += Math.trunc(((edge - y2) * (x2 - x1)) / (y2 - y1));
      y2 = edge;
      two = sideOf(x2);
    }
    if ((one & two) === 0 && (one | two) !== 0) {
      if (one) {
        const edge = one === 1 ? 0 : right;
        y1 += Math.trunc(((edge - x1) * (y2 - y1)) / (x2 - x1));
        x1 = edge;
        one = 0;
      }
      if (two) {
        const edge = two === 1 ? 0 : right;
        y2 += Math.trunc(((edge - x2) * (y2 - y1)) / (x2 - x1));
        x2 = edge;
        two = 0;
      }
    }
  }
  return (one | two) === 0 ? [x1, y1, x2, y2] : null;
}
