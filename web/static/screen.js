// The two canvases of the stage, one for the image and one for contours, with zoom and position.

import { drawLines } from "./contours.js";
import { Grey } from "./pixels.js";

const CLOSEST = 40, FARTHEST = 0.5;
const MARGIN = 0.06; // around structures, of the image's longer side

export class Screen {
  zoom = 1;
  centre = null; // in pixels from the first pixel's outer corner; null: the image's centre
  #grey = new Grey();
  #painted = "";
  #lined = "";
  #width = 0; // canvas units
  #height = 0;

  // `changed` is called when the stage changes its size.
  constructor(stage, changed) {
    this.stage = stage;
    this.picture = stage.querySelector("#picture").getContext("2d", { alpha: false });
    this.lines = stage.querySelector("#contours").getContext("2d");
    this.#measure();
    new ResizeObserver(() => {
      this.#measure();
      changed();
    }).observe(stage);
  }

  // Measured once for each change: the browser lays out the whole page for it.
  #measure() {
    this.#width = Math.round(this.stage.clientWidth * devicePixelRatio);
    this.#height = Math.round(this.stage.clientHeight * devicePixelRatio);
  }

  // Canvas position of an image's outer corner, and the size of its pixels in canvas units.
  layout(image) {
    const [rows, columns, rowMm, columnMm] = image.shape;
    const scale = Math.min(this.#width / (columns * columnMm), this.#height / (rows * rowMm)) * this.zoom;
    const [column, row] = this.middle(image);
    const across = scale * columnMm;
    const down = scale * rowMm;
    return { x: this.#width / 2 - column * across, y: this.#height / 2 - row * down, across, down };
  }

  // `key` identifies the image; pixels are converted to grey only if it or the window changed.
  drawImage(key, values, image, window, isMoving) {
    const painted = `${key} ${window.low} ${window.high}`;
    if (painted !== this.#painted) this.#grey.paint(values, image.shape, window);
    this.#painted = painted;
    const { x, y, across, down } = this.layout(image);
    const [rows, columns] = image.shape;
    this.#clear(this.picture);
    this.picture.imageSmoothingQuality = isMoving ? "low" : "high";
    this.picture.drawImage(this.#grey.canvas, x, y, columns * across, rows * down);
  }

  // `key` stands for all that contours depend on except place and size; null draws none.
  drawContours(key, lines, structures, image, isMoving) {
    const { x, y, across, down } = this.layout(image);
    const drawn = [key, isMoving, x, y, across].join();
    if (drawn === this.#lined && !this.#isOther(this.lines)) return;
    this.#lined = drawn;
    this.#clear(this.lines);
    if (lines) drawLines(this.lines, lines, structures, (column, row) => [x + column * across, y + row * down], devicePixelRatio, isMoving);
  }

  // Clear both canvases; the next image is drawn completely.
  blank() {
    this.forget();
    for (const context of [this.picture, this.lines]) this.#clear(context);
  }

  forget() {
    this.#painted = this.#lined = "";
  }

  fit() {
    Object.assign(this, { zoom: 1, centre: null });
  }

  magnify(factor) {
    this.zoom = Math.min(CLOSEST, Math.max(FARTHEST, this.zoom * factor));
  }

  // The centre of the visible part, in pixels of the image.
  middle({ shape: [rows, columns] }) {
    return this.centre ?? [columns / 2, rows / 2];
  }

  // Move the image by dx, dy in CSS pixels from an earlier centre.
  move(image, [column, row], dx, dy) {
    const { across, down } = this.layout(image);
    this.centre = [column - (dx * devicePixelRatio) / across, row - (dy * devicePixelRatio) / down];
  }

  // Zoom to a box (left, top, right, bottom in pixels of the image).
  show(image, [left, top, right, bottom]) {
    this.fit();
    const { across, down } = this.layout(image);
    const margin = 2 * MARGIN * Math.max(image.shape[0], image.shape[1]);
    const roomX = this.#width / ((right - left + margin) * across);
    const roomY = this.#height / ((bottom - top + margin) * down);
    this.zoom = Math.min(roomX, roomY);
    this.centre = [(left + right) / 2, (top + bottom) / 2];
  }

  // Column and row of the pixel under a point of the stage; null outside the image.
  pixelAt(image, x, y) {
    const { x: left, y: top, across, down } = this.layout(image);
    const [rows, columns] = image.shape;
    const column = Math.floor((x * devicePixelRatio - left) / across);
    const row = Math.floor((y * devicePixelRatio - top) / down);
    return column < 0 || row < 0 || column >= columns || row >= rows ? null : [column, row];
  }

  #isOther({ canvas }) {
    return canvas.width !== this.#width || canvas.height !== this.#height;
  }

  #clear(context) {
    if (this.#isOther(context)) Object.assign(context.canvas, { width: this.#width, height: this.#height });
    else context.clearRect(0, 0, this.#width, this.#height);
  }
}
