// Pictures of one channel, {data: Uint8Array, width, height}, and OpenCV's operations on them with
// its rounding. The method of the two resamplings follows OpenCV 4 (Apache-2.0; see NOTICE).

const clamp = (value, low, high) => (value < low ? low : value > high ? high : value);

const toCode = (value) => clamp(rint(value), 0, 255);

/** The nearest whole number, of two the even one: C's rint and Python's round. */
export function rint(value) {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return rest < 0.5 ? low : low + 1;
  return low % 2 === 0 ? low : low + 1;
}

/** Rec. 601 luma of a part of an RGBA frame, {data, width, height}; right and bottom exclusive. */
export function lumaOf(frame, left, top, right, bottom) {
  const width = right - left;
  const height = bottom - top;
  const data = new Uint8Array(width * height);
  const rgba = frame.data;
  for (let y = 0, to = 0; y < height; y++) {
    let from = 4 * ((top + y) * frame.width + left);
    for (let x = 0; x < width; x++, from += 4) {
      const sum = rgba[from] * 9798 + rgba[from + 1] * 19235 + rgba[from + 2] * 3735;
      data[to++] = (sum + (1 << 14)) >> 15;
    }
  }
  return { data, width, height };
}

/** cv2.resize with INTER_AREA, which never enlarges here. */
export function shrunk(image, width, height) {
  if (width === image.width && height === image.height) return image;
  const scaleX = 1 / (width / image.width);
  const scaleY = 1 / (height / image.height);
  const isWhole = [scaleX, scaleY].every((s) => Math.abs(s - rint(s)) < Number.EPSILON);
  return isWhole
    ? meansOfBlocks(image, width, height, rint(scaleX), rint(scaleY))
    : meansOfCells(image, width, height, scaleX, scaleY);
}

function meansOfBlocks(image, width, height, blockWidth, blockHeight) {
  const data = new Uint8Array(width * height);
  const share = Math.fround(1 / (blockWidth * blockHeight));
  const isFour = blockWidth === 2 && blockHeight === 2;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let j = 0; j < blockHeight; j++) {
        const from = (y * blockHeight + j) * image.width + x * blockWidth;
        for (let i = 0; i < blockWidth; i++) sum += image.data[from + i];
      }
      data[y * width + x] = isFour ? (sum + 2) >> 2 : toCode(Math.fround(sum * share));
    }
  }
  return { data, width, height };
}

/** Which pixels of the line make each cell of the smaller one, and their shares in float32. */
function cellsOf(length, cells, scale) {
  const parts = [];
  for (let cell = 0; cell < cells; cell++) {
    const start = cell * scale;
    const end = start + scale;
    const size = Math.min(scale, length - start);
    const last = Math.min(Math.floor(end), length - 1);
    const first = Math.min(Math.ceil(start), last);
    const add = (at, share) => parts.push({ cell, at, share: Math.fround(share) });
    if (first - start > 1e-3) add(first - 1, (first - start) / size);
    for (let at = first; at < last; at++) add(at, 1 / size);
    if (end - last > 1e-3) add(last, Math.min(Math.min(end - last, 1), size) / size);
  }
  return parts;
}

function meansOfCells(image, width, height, scaleX, scaleY) {
  const columns = cellsOf(image.width, width, scaleX);
  const sums = new Float32Array(width * height);
  const line = new Float32Array(width);
  for (const row of cellsOf(image.height, height, scaleY)) {
    line.fill(0);
    const from = row.at * image.width;
    for (const { cell, at, share } of columns) {
      line[cell] += Math.fround(image.data[from + at] * share);
    }
    const to = row.cell * width;
    for (let x = 0; x < width; x++) sums[to + x] += Math.fround(row.share * line[x]);
  }
  return { data: Uint8Array.from(sums, toCode), width, height };
}

const STEPS = 32; // of a pixel
const WEIGHT_ONE = 1 << 15;
const FINE = 1 << 10; // of the coordinates before they are rounded to steps
let cubicTable;

/** Weights of the 4 x 4 pixels around each of the 32 x 32 places within one, summing to 2^15. */
function cubicWeights() {
  if (cubicTable) return cubicTable;
  const f = Math.fround;
  const a = f(-0.75);
  const line = Array.from({ length: STEPS }, (_, step) => {
    const x = f(step / STEPS);
    const outer = f(x + 1);
    const inner = f(1 - x);
    const w0 = f(f(f(f(f(f(a * outer) - f(5 * a)) * outer) + f(8 * a)) * outer) - f(4 * a));
    const w1 = f(f(f(f(f(f(a + 2) * x) - f(a + 3)) * x) * x) + 1);
    const w2 = f(f(f(f(f(f(a + 2) * inner) - f(a + 3)) * inner) * inner) + 1);
    return [w0, w1, w2, f(f(f(1 - w0) - w1) - w2)];
  });
  cubicTable = new Int16Array(STEPS * STEPS * 16);
  for (let y = 0; y < STEPS; y++) {
    for (let x = 0; x < STEPS; x++) {
      const to = 16 * (y * STEPS + x);
      let sum = 0;
      for (let i = 0; i < 16; i++) {
        const weight = f(line[y][i >> 2] * line[x][i & 3]);
        sum += cubicTable[to + i] = clamp(rint(f(weight * WEIGHT_ONE)), -32768, 32767);
      }
      // What rounding took or gave too much falls to the largest or smallest of the middle four.
      const middle = [10, 11, 14, 15].map((i) => to + i);
      const missing = WEIGHT_ONE - sum;
      if (missing === 0) continue;
      const better = missing > 0 ? (p, q) => p > q : (p, q) => p < q;
      const chosen = middle.reduce((best, i) =>
        better(cubicTable[i], cubicTable[best]) ? i : best,
      );
      cubicTable[chosen] += missing;
    }
  }
  return cubicTable;
}

/**
 * cv2.warpAffine with INTER_CUBIC.
 * @param image one channel
 * @param matrix [a, b, x, c, d, y], from its px to those of the result
 * @param size side of the square result
 * @param fill what stands outside; null repeats the edge
 */
export function warpedCubic(image, matrix, size, fill) {
  const [m0, m1, m2, m3, m4, m5] = inverted(matrix);
  const weights = cubicWeights();
  const data = new Uint8Array(size * size);
  const half = FINE / STEPS / 2;
  const alongX = Array.from({ length: size }, (_, i) => [rint(m0 * i * FINE), rint(m3 * i * FINE)]);
  const { width, height, data: from } = image;
  const columns = new Int32Array(4);
  for (let row = 0; row < size; row++) {
    const startX = rint((m1 * row + m2) * FINE) + half;
    const startY = rint((m4 * row + m5) * FINE) + half;
    for (let column = 0; column < size; column++) {
      const fineX = (startX + alongX[column][0]) >> 5;
      const fineY = (startY + alongX[column][1]) >> 5;
      const left = (fineX >> 5) - 1;
      const top = (fineY >> 5) - 1;
      let weight = 16 * ((fineY & 31) * STEPS + (fineX & 31));
      let sum = fill === null ? 0 : fill * WEIGHT_ONE;
      for (let i = 0; i < 4; i++) {
        const at = left + i;
        columns[i] = fill === null ? clamp(at, 0, width - 1) : at >= 0 && at < width ? at : -1;
      }
      for (let j = 0; j < 4; j++, weight += 4) {
        const at = top + j;
        const isOutside = at < 0 || at >= height;
        if (isOutside && fill !== null) continue;
        const line = clamp(at, 0, height - 1) * width;
        for (let i = 0; i < 4; i++) {
          if (columns[i] < 0) continue;
          sum += (from[line + columns[i]] - (fill ?? 0)) * weights[weight + i];
        }
      }
      data[row * size + column] = clamp((sum + (1 << 14)) >> 15, 0, 255);
    }
  }
  return { data, width: size, height: size };
}

/**
 * cv2.warpAffine with INTER_LINEAR of an RGBA frame, black outside, as a network's float input.
 * @param matrix from frame px to those of the result
 * @param size side of the square result
 * @param toValue from a code 0..255 to what the network takes
 * @returns Float32Array of size * size * 3
 */
export function sampledLinear(frame, matrix, size, toValue) {
  const [m0, m1, m2, m3, m4, m5] = inverted(matrix);
  const values = Float32Array.from({ length: 256 }, (_, code) => toValue(code));
  const out = new Float32Array(size * size * 3);
  const { width, height, data } = frame;
  const half = FINE / STEPS / 2;
  for (let row = 0, to = 0; row < size; row++) {
    const startX = rint((m1 * row + m2) * FINE) + half;
    const startY = rint((m4 * row + m5) * FINE) + half;
    for (let column = 0; column < size; column++, to += 3) {
      const fineX = (startX + rint(m0 * column * FINE)) >> 5;
      const fineY = (startY + rint(m3 * column * FINE)) >> 5;
      const x = fineX >> 5;
      const y = fineY >> 5;
      if (x < -1 || y < -1 || x >= width || y >= height) {
        out.fill(values[0], to, to + 3);
        continue;
      }
      const right = fineX & 31;
      const below = fineY & 31;
      const w00 = x >= 0 && y >= 0 ? (STEPS - right) * (STEPS - below) : 0;
      const w01 = x + 1 < width && y >= 0 ? right * (STEPS - below) : 0;
      const w10 = x >= 0 && y + 1 < height ? (STEPS - right) * below : 0;
      const w11 = x + 1 < width && y + 1 < height ? right * below : 0;
      const from = 4 * (y * width + x);
      for (let i = 0; i < 3; i++) {
        const sum =
          (w00 && data[from + i] * w00) +
          (w01 && data[from + 4 + i] * w01) +
          (w10 && data[from + 4 * width + i] * w10) +
          (w11 && data[from + 4 * width + 4 + i] * w11);
        out[to + i] = values[(sum + 512) >> 10];
      }
    }
  }
  return out;
}

/** The map back, with the rounding of OpenCV's. */
function inverted([a, b, x, c, d, y]) {
  const area = a * d - b * c;
  const inverse = area === 0 ? 0 : 1 / area;
  const [m0, m1, m3, m4] = [d * inverse, -b * inverse, -c * inverse, a * inverse];
  return [m0, m1, -m0 * x - m1 * y, m3, m4, -m3 * x - m4 * y];
}

/** cv2.dilate with an elliptic element of side 2 radius + 1. */
export function dilated(image, radius) {
  const { width, height, data: from } = image;
  const data = new Uint8Array(width * height);
  for (let dy = -radius; dy <= radius; dy++) {
    const reach = rint(radius * Math.sqrt((radius * radius - dy * dy) * (1 / (radius * radius))));
    for (let y = Math.max(0, -dy); y < Math.min(height, height - dy); y++) {
      const line = from.subarray((y + dy) * width, (y + dy + 1) * width);
      raise(data.subarray(y * width, (y + 1) * width), line, reach);
    }
  }
  return { data, width, height };
}

/** Raise each of `to` to the largest of `line` within `reach`: a queue of falling values. */
function raise(to, line, reach) {
  const queue = new Int32Array(line.length);
  let first = 0;
  let end = 0;
  for (let at = 0; at < line.length + reach; at++) {
    if (at < line.length) {
      while (end > first && line[queue[end - 1]] <= line[at]) end--;
      queue[end++] = at;
    }
    const x = at - reach;
    if (x < 0) continue;
    while (queue[first] < x - reach) first++;
    if (line[queue[first]] > to[x]) to[x] = line[queue[first]];
  }
}

/** cv2.blur over a square of side 2 radius + 1, the edge repeated outside. */
export function blurred(image, radius) {
  const { width, height, data: from } = image;
  const side = 2 * radius + 1;
  const share = Math.fround(1 / (side * side));
  const rows = new Int32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      if (x === 0) {
        for (let i = -radius; i <= radius; i++) sum += from[y * width + clamp(i, 0, width - 1)];
      } else {
        sum = rows[y * width + x - 1];
        sum += from[y * width + Math.min(x + radius, width - 1)];
        sum -= from[y * width + Math.max(x - radius - 1, 0)];
      }
      rows[y * width + x] = sum;
    }
  }
  const data = new Uint8Array(width * height);
  for (let x = 0; x < width; x++) {
    let sum = 0;
    for (let i = -radius; i <= radius; i++) sum += rows[clamp(i, 0, height - 1) * width + x];
    for (let y = 0; y < height; y++) {
      data[y * width + x] = toCode(Math.fround(sum * share));
      sum += rows[Math.min(y + radius + 1, height - 1) * width + x];
      sum -= rows[Math.max(y - radius, 0) * width + x];
    }
  }
  return { data, width, height };
}
