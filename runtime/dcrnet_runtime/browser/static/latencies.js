// How long the stages of a frame take, in ms, over the newest frames.

const KEPT = 300;

export class Latencies {
  constructor() {
    this.stages = new Map();
  }

  /** A function that notes the time since it was last called, or since now, under a name. */
  lap() {
    const start = performance.now();
    let before = start;
    return (stage) => {
      const now = performance.now();
      this.note(stage, now - (stage === "whole frame" ? start : before));
      before = now;
    };
  }

  note(stage, ms) {
    if (!this.stages.has(stage)) this.stages.set(stage, []);
    const kept = this.stages.get(stage);
    kept.push(ms);
    if (kept.length > KEPT) kept.shift();
  }

  /** [[stage, median in ms, how many]] in the order in which stages came up. */
  medians() {
    return [...this.stages].map(([stage, values]) => [stage, median(values), values.length]);
  }
}

/** The middle of some numbers, or of the two in the middle their mean. */
export function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
