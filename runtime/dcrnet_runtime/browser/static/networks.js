// The page's networks on LiteRT.js, all on the processor.

import { Tensor, loadAndCompile, loadLiteRt, supportsFeature } from "@litertjs/core";

const FOLDER = "litertjs/core/wasm/";

/**
 * Load the engine.
 * @param wanted threads; undefined for a choice by the phone's cores
 * @param onBytes is told how many bytes of a file have come
 * @returns {threads, simd}: what it computes with
 */
export async function loadEngine(wanted, onBytes) {
  const isRelaxed = await supportsFeature("relaxedSimd");
  const most = isRelaxed && self.crossOriginIsolated ? navigator.hardwareConcurrency : 1;
  const chosen = wanted ?? Math.min(4, Math.ceil(most / 2));
  const threads = Math.max(1, Math.min(chosen, most));
  const name = threads > 1 ? "threaded_" : isRelaxed ? "" : "compat_";
  try {
    // LiteRT.js does not say what is missing, and waits for it for ever with threads.
    await fetched(`${FOLDER}litert_wasm_${name}internal.wasm`, onBytes);
    await loadLiteRt(FOLDER, { threads: threads > 1 });
  } catch (error) {
    throw new Error(`LiteRT.js did not load (${error.message ?? "its script is missing"})`);
  }
  return { threads, simd: isRelaxed ? "relaxed" : "fixed" };
}

/** A file's bytes; throws where it is missing. */
export async function fetched(path, onBytes = () => {}) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path} is missing: ${answer.status}`);
  const parts = [];
  const reader = answer.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    onBytes(part.value.length);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** A network of one input. */
export class Network {
  static async compile(bytes, threads) {
    const options = { accelerator: "wasm", cpuOptions: { numThreads: threads } };
    return new Network(await loadAndCompile(bytes, options));
  }

  constructor(model) {
    this.model = model;
    this.shape = Array.from(model.getInputDetails()[0].shape);
  }

  /** The outputs, in the network's order, as typed arrays. */
  async run(values) {
    const input = new Tensor(values, this.shape);
    const outputs = await this.model.run([input]);
    input.delete();
    const copies = [];
    for (const output of outputs) {
      copies.push((await output.data()).slice());
      output.delete();
    }
    return copies;
  }
}
