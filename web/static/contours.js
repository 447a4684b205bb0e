// Contours of a view, fetched in blocks of slices and drawn. Each structure has its own colour, as
// sent, and its own kind of line, so that structures can be told apart without colour.

const DASHES = [[], [7, 4], [2, 4], [10, 4, 2, 4], [14, 5], [2, 3, 2, 8]];
const OTHERS = [[230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [213, 94, 0], [204, 121, 167]];

export class Contours {
  #blocks = new Map();
  #planned = [];
  #isAhead = false;

  constructor(view) {
    this.view = view;
    this.box = null;
    this.unplaced = 0;
  }

  get isEmpty() {
    return !this.view.contours;
  }

  // Name, colour, type, number of images and volumes of each structure; rejects with the reason.
  structures() {
    return read(this.view.contours.replace(/contours$/, "structures"));
  }

  // [[structure, [x, y, x, y, ...]], ...] on an image; undefined until they are loaded.
  here(index) {
    if (this.isEmpty) return [];
    const block = this.#blocks.get(Math.floor(index / this.view.block));
    return block?.images && (block.images[index] ?? []);
  }

  // Loads the contours of an image's block; rejects with the reason.
  get(index) {
    const number = Math.floor(index / this.view.block);
    if (this.isEmpty) return Promise.resolve();
    if (!this.#blocks.has(number)) {
      const block = { images: null };
      block.comes = this.#fetch(number, block);
      this.#blocks.set(number, block);
    }
    return this.#blocks.get(number).comes;
  }

  // Load the contours of these images one after another: a browser has six connections for all
  // requests. A failure is reported when the image is shown.
  async prefetch(indices) {
    this.#planned = [...indices];
    if (this.#isAhead) return;
    this.#isAhead = true;
    while (this.#planned.length) await this.get(this.#planned.shift()).catch(() => {});
    this.#isAhead = false;
  }

  async #fetch(number, block) {
    try {
      const { box, unplaced, images } = await read(`${this.view.contours}/${number}`);
      Object.assign(this, { box, unplaced });
      block.images = images;
    } catch (error) {
      this.#blocks.delete(number);
      throw error;
    }
  }
}

// The JSON answer of an address; rejects with the reason.
export async function read(address) {
  const answer = await fetch(address);
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.msg ?? answer.statusText);
  return said;
}

export function colorOf(structure, number) {
  return structure.color ?? OTHERS[number % OTHERS.length];
}

// Draw lines of [structure, points] onto a context; `place` converts pixel coordinates to canvas
// units. `plain` lines have no halo and no dashes and take a tenth of the time.
export function drawLines(context, lines, structures, place, unit, plain = false) {
  context.lineJoin = "round";
  for (const halo of plain ? [false] : [true, false]) {
    for (const [number, points] of lines) {
      const color = colorOf(structures[number] ?? {}, number);
      context.setLineDash(halo || plain ? [] : DASHES[number % DASHES.length].map((part) => part * unit));
      context.lineWidth = (plain ? 1 : halo ? 3.2 : 1.7) * unit;
      context.strokeStyle = halo ? haloFor(color) : `rgb(${color})`;
      context.beginPath();
      for (let at = 0; at < points.length; at += 2) context.lineTo(...place(points[at], points[at + 1]));
      context.stroke();
    }
  }
}

// Dark lines get a light edge and light lines a dark one, so that both show on any tissue.
function haloFor([red, green, blue]) {
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 110 ? "rgb(0 0 0 / .55)" : "rgb(255 255 255 / .5)";
}

export function drawSample(canvas, structure, number) {
  const unit = 2;
  canvas.width = 34 * unit;
  canvas.height = 16 * unit;
  const middle = canvas.height / 2;
  drawLines(canvas.getContext("2d"), [[number, [4 * unit, middle, canvas.width - 4 * unit, middle]]], { [number]: structure }, (x, y) => [x, y], unit);
}
