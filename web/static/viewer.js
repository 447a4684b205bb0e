// The images of a case with their contours. What is written beside an image always belongs to the
// image that is shown: both change together, when its pixels are here.

import { Contours, drawLines, drawSample } from "./contours.js";
import { attach } from "./gestures.js";
import { Images, paintGrey, usualWindow } from "./pixels.js";

const AHEAD = 24;
const BEHIND = 6;
const REST_MS = 150;
const PRESETS = { "soft tissue": [40, 400], lung: [-600, 1500], bone: [400, 1800], brain: [40, 80], liver: [60, 160] };
const $ = (id) => document.getElementById(id);

class Viewer {
  hidden = new Set(); // names of structures
  allHidden = false;
  zoom = 1;
  centre = null; // in pixels from the outer corner of the first one; null: the image's own
  wanted = 0;
  shown = null;
  grey = document.createElement("canvas");
  #painted = "";
  #lined = "";
  #moving = false;
  #late = null;
  #resting = 0;
  #frame = 0;
  #direction = 1;

  constructor() {
    this.stage = $("stage");
    this.context = $("picture").getContext("2d", { alpha: false });
    this.lines = $("contours").getContext("2d");
    $("view").addEventListener("change", () => this.load($("view").value));
    $("slice").addEventListener("input", () => this.go(this.phase, +$("slice").value));
    $("phase").addEventListener("input", () => this.go(+$("phase").value, this.slice));
    $("preset").addEventListener("change", () => this.#preset($("preset").value));
    $("fit").addEventListener("click", () => this.fit());
    $("zoom-in").addEventListener("click", () => this.magnify(1.25));
    $("to-structures").addEventListener("click", () => this.toStructures());
    new ResizeObserver(() => this.redraw()).observe(this.stage);
    attach(this);
    this.load($("view").value);
  }

  async load(name) {
    this.say("");
    try {
      const answer = await fetch($("view").dataset.base + encodeURIComponent(name));
      const view = await answer.json();
      if (!answer.ok) throw new Error(view.msg ?? answer.statusText);
      if ($("view").value === name) await this.#open(view);
    } catch (error) {
      this.say(`The images cannot be shown: ${error.message}`);
    }
  }

  async #open(view) {
    Object.assign(this, { view, images: new Images(view), contours: new Contours(view), structures: [], shown: null });
    const usesStated = view.window && view.modality === "CT"; // in MR it is often far off
    this.window = usesStated ? { low: view.window[0], high: view.window[1] } : null;
    this.#painted = this.#lined = "";
    this.phase = 0;
    this.slice = 0;
    $("phase-row").hidden = view.phases.length < 2;
    $("phase").max = Math.max(0, view.phases.length - 1);
    this.#offerPresets();
    this.#note();
    this.fit();
    if (!view.images.length) return this.say("There are no images that can be shown.");
    this.go(0, Math.floor((view.phases[0].length - 1) / 2));
    if (view.contours) this.#readStructures(view);
    else this.#listStructures("none: no structure set was made");
  }

  async #readStructures(view) {
    try {
      const answer = await fetch(view.contours.replace(/contours$/, "structures"));
      const said = await answer.json();
      if (!answer.ok) throw new Error(said.msg ?? answer.statusText);
      if (this.view !== view) return;
      this.structures = said;
      this.#listStructures(view.phases.length > 1 ? "volumes of this phase" : "");
      this.redraw();
    } catch (error) {
      this.say(`The structures cannot be shown: ${error.message}`);
    }
  }

  // Where a person wants to be; the image is shown when it is here.
  go(phase, slice) {
    if (!this.view?.images.length) return;
    const phases = this.view.phases;
    phase = Math.min(Math.max(phase, 0), phases.length - 1);
    slice = Math.min(Math.max(slice, 0), phases[phase].length - 1);
    this.#direction = Math.sign(slice - this.slice) || this.#direction;
    Object.assign(this, { phase, slice, wanted: phases[phase][slice] });
    if (this.shown !== null) this.#move();
    $("slice").max = phases[phase].length - 1;
    $("slice").value = slice;
    $("phase").value = phase;
    this.#fetch(this.wanted);
  }

  #fetch(index) {
    const { view } = this;
    const stillWanted = () => this.view === view && this.wanted === index;
    const failed = (what) => (error) => stillWanted() && this.#fail(`${what} cannot be shown: ${error.message}`);
    const came = () => {
      if (this.view !== view) return;
      const isNearer = Math.abs(index - this.wanted) < Math.abs((this.shown ?? Infinity) - this.wanted);
      if (!stillWanted() && !isNearer) return;
      if (!stillWanted()) this.#late = index; // shown until the wanted one is here
      this.redraw();
    };
    if (this.images.here(index)) this.redraw();
    else this.images.get(index).then(came, failed("The image"));
    if (this.shown !== null) this.images.prefetch(this.#neighbours());
    if (!this.contours.here(index)) this.contours.get(index).then(() => stillWanted() && this.redraw(), failed("The contours"));
  }

  #neighbours() {
    const inPhase = this.view.phases[this.phase];
    const found = [];
    for (let away = 1; away <= AHEAD; away++) {
      found.push(inPhase[this.slice + away * this.#direction]);
      if (away <= BEHIND) found.push(inPhase[this.slice - away * this.#direction]);
      if (away === 1) for (const phase of this.view.phases) if (phase !== inPhase) found.push(phase[this.slice]);
    }
    return found.filter((index) => index !== undefined);
  }

  #fail(words) {
    this.shown = null;
    this.#lined = "";
    for (const context of [this.context, this.lines]) this.#clear(context);
    this.say(words);
  }

  redraw() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw() {
    if (!this.view) return;
    const index = this.images.here(this.wanted) ? this.wanted : this.#late;
    const values = index !== null && this.images.here(index);
    if (!values) return;
    this.say("");
    const image = this.view.images[index];
    this.window ??= usualWindow(values);
    const painted = `${index} ${this.window.low} ${this.window.high}`;
    if (painted !== this.#painted) paintGrey(this.grey, values, image.shape, this.window);
    this.#painted = painted;
    this.shown = index;
    this.#late = null;
    const { x, y, across, down } = this.layout(image);
    const [rows, columns] = image.shape;
    this.#clear(this.context);
    this.context.imageSmoothingQuality = this.#moving ? "low" : "high";
    this.context.drawImage(this.grey, x, y, columns * across, rows * down);
    this.#describe(image, this.#drawContours(x, y, across, down));
    this.images.prefetch(this.#neighbours());
  }

  #drawContours(x, y, across, down) {
    const lines = this.contours.here(this.shown);
    const seen = this.allHidden ? [] : lines?.filter(([number]) => !this.hidden.has(this.structures[number]?.name));
    const drawn = [this.shown, !lines, x, y, across, !this.#moving, this.structures.length, seen?.length, [...this.hidden]].join();
    if (drawn === this.#lined && !this.#resized(this.lines)) return seen ?? null;
    this.#lined = drawn;
    this.#clear(this.lines);
    if (!seen) return null;
    drawLines(this.lines, seen, this.structures, (column, row) => [x + column * across, y + row * down], devicePixelRatio, this.#moving);
    return seen;
  }

  // While a person scrolls or drags, lines are thin and plain; they are drawn out when it rests.
  #move() {
    this.#moving = true;
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => {
      this.#moving = false;
      this.redraw();
    }, REST_MS);
  }

  // Canvas units: where the image's outer corner lies, and how large a pixel is.
  layout(image = this.view.images[this.shown ?? this.wanted]) {
    const [rows, columns, rowMm, columnMm] = image.shape;
    const width = this.stage.clientWidth * devicePixelRatio;
    const height = this.stage.clientHeight * devicePixelRatio;
    const scale = Math.min(width / (columns * columnMm), height / (rows * rowMm)) * this.zoom;
    const [column, row] = this.centre ?? [columns / 2, rows / 2];
    const across = scale * columnMm;
    const down = scale * rowMm;
    return { x: width / 2 - column * across, y: height / 2 - row * down, across, down };
  }

  #resized({ canvas }) {
    return canvas.width !== this.#width || canvas.height !== this.#height;
  }

  #clear(context) {
    if (this.#resized(context)) Object.assign(context.canvas, { width: this.#width, height: this.#height });
    else context.clearRect(0, 0, this.#width, this.#height);
  }

  get #width() {
    return Math.round(this.stage.clientWidth * devicePixelRatio);
  }

  get #height() {
    return Math.round(this.stage.clientHeight * devicePixelRatio);
  }

  #describe(image, drawn) {
    const { view } = this;
    const many = view.phases.length > 1;
    const phase = view.phases.findIndex((indices) => indices.includes(this.shown));
    const slice = view.phases[phase].indexOf(this.shown);
    const place = `slice ${slice + 1} of ${view.phases[phase].length}${many ? `, phase ${phase + 1} of ${view.phases.length}` : ""}`;
    const names = new Set((drawn ?? []).map(([number]) => this.structures[number]?.name ?? "a structure"));
    $("place").textContent = `${place[0].toUpperCase()}${place.slice(1)}\n${image.at_mm === null ? "no position" : `${image.at_mm.toFixed(1)} mm`} · instance ${image.number}`;
    const { low, high } = this.window;
    const unit = view.units === "rescaled" ? "" : ` ${view.units}`;
    $("window-words").textContent = `window ${round(high - low)} · level ${round((low + high) / 2)}${unit}\n${drawn === null ? "contours are loading" : ""}`;
    $("slice-words").textContent = `${slice + 1} of ${view.phases[phase].length}`;
    $("phase-words").textContent = `${phase + 1} of ${view.phases.length}`;
    $("contours").setAttribute("aria-label", `${place}, ${names.size ? `with ${[...names].join(", ")}` : "no contours"}`);
    for (const [at, side] of ["top", "right", "bottom", "left"].entries()) $(`side-${side}`).textContent = image.sides?.[at] ?? "";
    Object.assign(this.stage.dataset, { index: this.shown, drawn: drawn?.length ?? "", rests: !this.#moving });
    this.#volumes(phase);
    this.#note();
  }

  #listStructures(words) {
    const rows = this.structures.map((structure, number) => {
      const row = document.createElement("tr");
      row.innerHTML = `<th scope="row"><label><input type="checkbox"><canvas aria-hidden="true"></canvas><span></span></label></th><td class="right" data-ml></td><td class="right"></td>`;
      const box = row.querySelector("input");
      box.checked = !this.hidden.has(structure.name);
      box.addEventListener("change", () => {
        this.hidden[box.checked ? "delete" : "add"](structure.name);
        this.redraw();
      });
      row.querySelector("span").textContent = structure.name;
      row.lastElementChild.textContent = structure.images;
      drawSample(row.querySelector("canvas"), structure, number);
      return row;
    });
    $("structures").tBodies[0].replaceChildren(...rows);
    $("structures-words").textContent = words;
    this.#volumes(this.phase);
  }

  #volumes(phase) {
    for (const [number, cell] of $("structures").querySelectorAll("[data-ml]").entries()) {
      const volume = this.structures[number]?.volumes_ml[phase];
      cell.textContent = volume === undefined ? "not measured" : volume.toFixed(1);
    }
  }

  #note() {
    const notes = [...this.view.notes];
    if (this.contours.unplaced) notes.push(`${this.contours.unplaced} contours lie on none of these images`);
    if ($("notes").childElementCount === notes.length) return;
    $("notes").replaceChildren(...notes.map((words) => Object.assign(document.createElement("li"), { textContent: words })));
  }

  #offerPresets() {
    const names = ["", ...(this.view.window ? ["as stated"] : []), "from the image", ...(this.view.modality === "CT" ? Object.keys(PRESETS) : [])];
    $("preset").replaceChildren(...names.map((name) => new Option(name || "as chosen", name)));
    $("preset").value = this.window ? "as stated" : "from the image";
  }

  #preset(name) {
    if (name === "as stated") this.setWindow(this.view.window[0], this.view.window[1], name);
    else if (name === "from the image") this.#usual(name);
    else if (PRESETS[name]) this.setWindow(PRESETS[name][0] - PRESETS[name][1] / 2, PRESETS[name][0] + PRESETS[name][1] / 2, name);
  }

  #usual(name) {
    const values = this.images.here(this.wanted);
    if (values) Object.assign(this, { window: usualWindow(values) });
    $("preset").value = name;
    this.redraw();
  }

  setWindow(low, high, name = "") {
    this.window = { low, high };
    this.#move();
    $("preset").value = name;
    this.redraw();
  }

  magnify(factor, centre = this.centre) {
    this.zoom = Math.min(40, Math.max(0.5, this.zoom * factor));
    this.centre = centre;
    this.redraw();
  }

  fit() {
    Object.assign(this, { zoom: 1, centre: null });
    this.redraw();
  }

  toStructures() {
    const { box } = this.contours;
    if (!box) return;
    const [rows, columns] = this.view.images[this.wanted].shape;
    const [left, top, right, bottom] = box;
    this.fit();
    const { across, down } = this.layout();
    const roomX = this.stage.clientWidth * devicePixelRatio, roomY = this.stage.clientHeight * devicePixelRatio;
    const margin = 0.06 * Math.max(rows, columns);
    this.zoom = Math.min(roomX / ((right - left + 2 * margin) * across), roomY / ((bottom - top + 2 * margin) * down));
    this.centre = [(left + right) / 2, (top + bottom) / 2];
    this.redraw();
  }

  toggleContours() {
    this.allHidden = !this.allHidden;
    this.redraw();
  }

  // The value under a place on the stage, in words.
  under(x, y) {
    const values = this.shown !== null && this.images.here(this.shown);
    if (!values) return "";
    const { x: left, y: top, across, down } = this.layout();
    const [rows, columns] = this.view.images[this.shown].shape;
    const column = Math.floor((x * devicePixelRatio - left) / across);
    const row = Math.floor((y * devicePixelRatio - top) / down);
    if (column < 0 || row < 0 || column >= columns || row >= rows) return "";
    const unit = this.view.units === "rescaled" ? "" : ` ${this.view.units}`;
    return `column ${column}, row ${row}: ${round(values[row * columns + column])}${unit}`;
  }

  say(words) {
    if ($("said").textContent !== words) $("said").textContent = words;
  }
}

function round(value) {
  return Math.abs(value) >= 100 ? value.toFixed(0) : +value.toPrecision(3);
}

function start() {
  if ($("stage")) new Viewer();
}

start();
document.addEventListener("exchanged", (event) => event.target.id === "viewer" && start());
