// Images of a view in rescaled units: fetched one by one, cached up to a limit.

import { readImage } from "./decoding.js";

const KEPT_BYTES = 256 * 1024 * 1024;
const AT_ONCE = 4;

// The page's one worker that fetches and decodes images. Until it runs, and in browsers where it
// cannot run, the page does so itself.
class Decoder {
  #worker = new Worker("/static/decoder.js", { type: "module" });
  #isReady = false;
  #waiting = new Map();
  #number = 0;

  constructor() {
    this.#worker.addEventListener("message", ({ data: { isReady, number, values, fault } }) => {
      if (isReady) return (this.#isReady = true);
      const { resolve, reject } = this.#waiting.get(number);
      this.#waiting.delete(number);
      values ? resolve(values) : reject(new Error(fault));
    });
  }

  // The values of an image; rejects with the reason.
  read({ url, shape }) {
    if (!this.#isReady) return readImage({ url, shape });
    const number = this.#number++;
    this.#worker.postMessage({ number, image: { url, shape } });
    return new Promise((resolve, reject) => this.#waiting.set(number, { resolve, reject }));
  }
}

const decoder = new Decoder();

export class Images {
  #kept = new Map();
  #bytes = 0;
  #asked = new Map();
  #queue = [];
  #running = 0;

  constructor(view) {
    this.view = view;
  }

  // The values of an image if they are cached, else undefined.
  here(index) {
    const values = this.#kept.get(index);
    if (values) {
      this.#kept.delete(index); // to the end: most recently used
      this.#kept.set(index, values);
    }
    return values;
  }

  // The values of an image, cached or fetched; rejects with the reason.
  get(index) {
    const values = this.here(index);
    if (values) return Promise.resolve(values);
    if (!this.#asked.has(index)) {
      const asked = this.#fetch(index).finally(() => this.#asked.delete(index));
      this.#asked.set(index, asked);
    }
    return this.#asked.get(index);
  }

  // Fetch these images next, in this order; earlier plans are dropped.
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
    const values = await decoder.read(this.view.images[index]);
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

// An image in grey on a canvas, one canvas pixel for each image pixel.
export class Grey {
  canvas = document.createElement("canvas");
  #context = this.canvas.getContext("2d", { alpha: false });
  #image = null;
  #pixels = null;

  paint(values, [rows, columns], { low, high }) {
    this.#fit(rows, columns);
    const pixels = this.#pixels;
    const factor = 255 / Math.max(high - low, 1e-12);
    for (let at = 0; at < values.length; at++) {
      const grey = (values[at] - low) * factor;
      const level = grey > 255 ? 255 : grey > 0 ? grey | 0 : 0; // NaN is black
      pixels[at] = 0xff000000 | (level * 0x010101);
    }
    this.#context.putImageData(this.#image, 0, 0);
  }

  #fit(rows, columns) {
    if (this.#image?.width === columns && this.#image.height === rows) return;
    Object.assign(this.canvas, { width: columns, height: rows });
    this.#image = this.#context.createImageData(columns, rows);
    this.#pixels = new Uint32Array(this.#image.data.buffer);
  }
}

// A window from an image's 1st to 99.5th percentile, from at most 20,000 of its values.
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
