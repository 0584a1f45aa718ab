// Runs the page's operations on jobs of standard input, for a test to compare with OpenCV's.

import fs from "node:fs";

const [folder] = process.argv.slice(2);
const images = await import(`${folder}/images.js`);
const polygons = await import(`${folder}/polygons.js`);
const { prepare } = await import(`${folder}/preparation.js`);
const { selfTest } = await import(`${folder}/self-test.js`);

const picture = ({ data, width, height }) => ({
  data: new Uint8Array(Buffer.from(data, "base64")),
  width,
  height,
});
const point = ([x, y]) => ({ x, y });

function withAlpha({ data, width, height }) {
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let i = 0; i < data.length; i++) rgba[4 * Math.floor(i / 3) + (i % 3)] = data[i];
  return { data: rgba, width, height };
}

const OPERATIONS = {
  hull: (job) => polygons.convexHull(job.points.map(point)).map(({ x, y }) => [x, y]),
  fill: (job) => {
    const mask = { data: new Uint8Array(job.size ** 2), width: job.size, height: job.size };
    job.hulls.forEach((hull) => polygons.fillConvex(mask, hull.map(point)));
    return mask;
  },
  shrink: (job) => images.shrunk(picture(job), job.to[0], job.to[1]),
  warp: (job) => images.warpedCubic(picture(job), job.matrix, job.size, job.fill),
  sample: (job) => ({
    data: images.sampledLinear(withAlpha(picture(job)), job.matrix, job.size, (code) => code),
  }),
  dilate: (job) => images.dilated(picture(job), job.radius),
  blur: (job) => images.blurred(picture(job), job.radius),
  prepare: (job) => prepare(withAlpha(picture(job)), job.face, job.spec, job.mesh),
  selfTest: (job) => selfTest(job.golden, job.card, job.mesh, null),
};

const answers = [];
for (const job of JSON.parse(fs.readFileSync(0))) {
  const answer = await OPERATIONS[job.operation](job);
  answers.push(answer?.data ? Buffer.from(Uint8Array.from(answer.data)).toString("base64") : answer);
}
process.stdout.write(JSON.stringify(answers));
