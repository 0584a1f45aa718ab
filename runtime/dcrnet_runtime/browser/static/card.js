// The model's card: `dcrnet.json` in the zip that is appended to the TFLite file.

const CARD_FILE = "dcrnet.json";
const END = 0x06054b50; // of the zip's directory
const ENTRY = 0x02014b50;

/** The card in a model's bytes; throws where there is none. */
export async function readCard(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const packed = findCard(view, bytes);
  if (!packed) throw new Error("the model carries no dcrnet-edge card: export it with dcrnet-export");
  const text = packed.isDeflated ? await inflated(packed.bytes, "deflate-raw") : packed.bytes;
  return JSON.parse(new TextDecoder().decode(text));
}

/** Bytes through the browser's own decompression. */
export async function inflated(bytes, format) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function findCard(view, bytes) {
  let end = view.byteLength - 22;
  while (end >= 0 && view.getUint32(end, true) !== END) end--;
  if (end < 0) return null;
  const size = view.getUint32(end + 12, true);
  // The zip's own offsets may count from its beginning or from the file's.
  const shift = end - size - view.getUint32(end + 16, true);
  for (let at = end - size; at < end && view.getUint32(at, true) === ENTRY; ) {
    const nameLength = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    if (name === CARD_FILE) {
      const local = view.getUint32(at + 42, true) + shift;
      const skipped = 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
      const start = local + skipped;
      return {
        bytes: bytes.subarray(start, start + view.getUint32(at + 20, true)),
        isDeflated: view.getUint16(at + 10, true) === 8,
      };
    }
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return null;
}
