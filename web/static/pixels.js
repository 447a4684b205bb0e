// Images of a view: fetched one by one, kept within bounds, in rescaled units.

const KEPT_BYTES = 256 * 1024 * 1024;
const AT_ONCE = 4;

// All first bytes, all second bytes, ... of little-endian float32 (HDF5's shuffle); HTTP inflated it.
export function unshuffle(buffer) {
  const bytes = new Uint8Array(buffer);
  const count = bytes.length >> 2;
  const words = new Uint32Array(count);
  const second = count, third = 2 * count, fourth = 3 * count;
  for (let at = 0; at < count; at++)
    words[at] = bytes[at] | (bytes[second + at] << 8) | (bytes[third + at] << 16) | (bytes[fourth + at] << 24);
  return new Float32Array(words.buffer);
}

export class Images {
  #kept = new Map();
  #bytes = 0;
  #asked = new Map();
  #queue = [];
  #running = 0;

  constructor(view) {
    this.view = view;
  }

  // The values of an image when they are here, else undefined.
  here(index) {
    const values = this.#kept.get(index);
    if (values) {
      this.#kept.delete(index); // to the end: used last
      this.#kept.set(index, values);
    }
    return values;
  }

  // The values of an image; rejects with the reason in words.
  get(index) {
    const values = this.here(index);
    if (values) return Promise.resolve(values);
    if (!this.#asked.has(index)) {
      const asked = this.#fetch(index).finally(() => this.#asked.delete(index));
      this.#asked.set(index, asked);
    }
    return this.#asked.get(index);
  }

  // Fetch these next, the nearest first; what was planned before is forgotten.
  prefetch(indices) {
    this.#queue = indices.filter((index) => !this.#kept.has(index) && !this.#asked.has(index));
    while (this.#running < AT_ONCE && this.#queue.length) this.#next();
  }

  async #next() {
    this.#running++;
    while (this.#queue.length) await this.get(this.#queue.shift()).catch(() => {});
    this.#running--;
  }

  async #fetch(index) {
    const image = this.view.images[index];
    const answer = await fetch(image.url, { headers: { accept: "application/octet-stream" } });
    if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).msg ?? answer.statusText);
    const values = unshuffle(await answer.arrayBuffer());
    const [rows, columns] = image.shape;
    if (values.length !== rows * columns) throw new Error(`${values.length} pixels came, expected ${rows * columns}`);
    this.#keep(index, values);
    return values;
  }

  #keep(index, values) {
    this.#kept.set(index, values);
    this.#bytes += values.byteLength;
    for (const [oldest, old] of this.#kept) {
      if (this.#bytes <= KEPT_BYTES || oldest === index) break;
      this.#kept.delete(oldest);
      this.#bytes -= old.byteLength;
    }
  }
}

// Values as grey on a canvas of one canvas pixel for each image pixel.
export function paintGrey(canvas, values, [rows, columns], { low, high }) {
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d", { alpha: false });
  const image = context.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  const factor = 255 / Math.max(high - low, 1e-12);
  for (let at = 0; at < values.length; at++) {
    const grey = (values[at] - low) * factor;
    const level = grey > 255 ? 255 : grey > 0 ? grey | 0 : 0; // NaN is black
    pixels[at] = 0xff000000 | (level << 16) | (level << 8) | level;
  }
  context.putImageData(image, 0, 0);
}

// What shows most of an image: its 1st and 99.5th percentile, from at most 20,000 of its values.
export function usualWindow(values) {
  const step = Math.max(1, Math.floor(values.length / 20000));
  const some = [];
  for (let at = 0; at < values.length; at += step) if (Number.isFinite(values[at])) some.push(values[at]);
  some.sort((one, other) => one - other);
  if (!some.length) return { low: 0, high: 1 };
  const low = some[Math.floor(some.length * 0.01)];
  const high = some[Math.floor(some.length * 0.995)];
  return high > low ? { low, high } : { low: low - 0.5, high: low + 0.5 };
}
