// Maps between frame and crop, [a, b, x, c, d, y]: x' = a x + b y + x, y' = c x + d y + y. A
// pixel's centre lies at its whole coordinate; a box's edges are pixels' edges.

/** The least-squares rotation, scale and shift from five [x, y] points to five others. */
export function similarity(source, target) {
  const mean = (points, i) => points.reduce((sum, p) => sum + p[i], 0) / points.length;
  const [sx, sy, tx, ty] = [mean(source, 0), mean(source, 1), mean(target, 0), mean(target, 1)];
  let spread = 0;
  let real = 0;
  let imaginary = 0;
  source.forEach(([x, y], i) => {
    const [u, v] = [x - sx, y - sy];
    const [p, q] = [target[i][0] - tx, target[i][1] - ty];
    spread += u * u + v * v;
    real += u * p + v * q;
    imaginary += u * q - v * p;
  });
  if (!(spread >= 1e-9 && Number.isFinite(spread))) return null;
  const [a, c] = [real / spread, imaginary / spread];
  return [a, -c, tx - (a * sx - c * sy), c, a, ty - (a * sy + c * sx)];
}

/** The square crop of `size` px around a box {x, y, width, height}, `scale` times its side. */
export function boxTransform(box, scale, size) {
  const side = Math.max(box.width, box.height) * scale;
  if (!(side >= 1e-6 && Number.isFinite(side + box.x + box.y))) return null;
  const zoom = size / side;
  const left = box.x + box.width / 2 - side / 2;
  const top = box.y + box.height / 2 - side / 2;
  return [zoom, 0, (0.5 - left) * zoom - 0.5, 0, zoom, (0.5 - top) * zoom - 0.5];
}

/** The transform that shows a square turned by `angle` upright in `size` px. */
export function rotatedSquare([x, y], side, angle, size) {
  const zoom = size / side;
  const [cos, sin] = [zoom * Math.cos(angle), zoom * Math.sin(angle)];
  const middle = (size - 1) / 2;
  return [cos, sin, middle - (cos * x + sin * y), -sin, cos, middle - (-sin * x + cos * y)];
}

export function apply([a, b, x, c, d, y], [u, v]) {
  return [a * u + b * v + x, c * u + d * v + y];
}

export function inverse([a, b, x, c, d, y]) {
  const area = a * d - b * c;
  return [d, -b, b * y - d * x, -c, a, c * x - a * y].map((value) => value / area);
}

export function zoomOf(matrix) {
  return Math.hypot(matrix[0], matrix[3]);
}

/** The box around [x, y] points. */
export function boxAround(points) {
  const xs = points.map((p) => p[0]);
  const ys = points.map((p) => p[1]);
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

/** The area that two boxes share. */
function common(one, other) {
  const width = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
  const height = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
  return width > 0 && height > 0 ? width * height : 0;
}

const area = (box) => box.width * box.height;

/** Intersection over union of two boxes. */
export function overlap(one, other) {
  const shared = common(one, other);
  return shared && shared / (area(one) + area(other) - shared);
}

/** The share of the smaller of two boxes that lies in the other one. */
export function containment(one, other) {
  const shared = common(one, other);
  return shared && shared / Math.min(area(one), area(other));
}
