// The images of a case with their contours. Texts beside an image always belong to the image that is
// shown: both change together, when its pixels are loaded.

import { Contours, read } from "./contours.js";
import { attach } from "./gestures.js";
import * as panel from "./panel.js";
import { Images, usualWindow } from "./pixels.js";
import { Screen } from "./screen.js";
import { Stack } from "./stack.js";

const REST_MS = 150;
const $ = (id) => document.getElementById(id);

class Viewer {
  hidden = new Set(); // names of structures
  allHidden = false;
  stack = new Stack([[]]);
  wanted = 0;
  shown = null;
  #moving = false;
  #late = null;
  #resting = 0;
  #frame = 0;

  constructor() {
    this.stage = $("stage");
    this.screen = new Screen(this.stage, () => this.redraw());
    attach(this);
    this.load($("view").value);
  }

  async load(name) {
    panel.say("");
    try {
      const view = await read($("view").dataset.base + encodeURIComponent(name));
      if ($("view").value === name) this.#open(view);
    } catch (error) {
      panel.say(`The images cannot be shown: ${error.message}`);
    }
  }

  #open(view) {
    Object.assign(this, { view, images: new Images(view), contours: new Contours(view), stack: new Stack(view.phases) });
    Object.assign(this, { structures: [], shown: null });
    const usual = view.modality === "CT" ? panel.SOFT_TISSUE : panel.FROM_IMAGE; // stated ones are often far off
    this.window = view.modality === "CT" ? panel.windowOf(view, usual) : null;
    this.screen.forget();
    this.screen.fit();
    panel.offerWindows(view, usual);
    panel.note(view, 0);
    if (!view.images.length) return panel.say("There are no images that can be shown.");
    this.go(0, Math.floor((view.phases[0].length - 1) / 2));
    if (view.contours) this.#readStructures(view);
    else this.#listStructures("none: no structure set was made");
  }

  async #readStructures(view) {
    try {
      const structures = await this.contours.structures();
      if (this.view !== view) return;
      this.structures = structures;
      this.#listStructures(view.phases.length > 1 ? "volumes and images of this phase" : "");
      this.redraw();
    } catch (error) {
      panel.say(`The structures cannot be shown: ${error.message}`);
    }
  }

  #listStructures(words) {
    const toggle = (name, isShown) => {
      this.hidden[isShown ? "delete" : "add"](name);
      this.redraw();
    };
    panel.listStructures(this.structures, this.hidden, toggle, words);
    panel.showPhase(this.structures, this.stack.phase);
  }

  // Go to a slice and phase; the image is shown when it is loaded.
  go(phase, slice) {
    if (!this.view?.images.length) return;
    this.wanted = this.stack.go(phase, slice);
    if (this.shown !== null) this.#move();
    this.#fetch(this.wanted);
  }

  #fetch(index) {
    const { view } = this;
    const isWanted = () => this.view === view && this.wanted === index;
    const failed = (what) => (error) => isWanted() && this.#fail(`${what} cannot be shown: ${error.message}`);
    if (this.images.here(index)) this.redraw();
    else this.images.get(index).then(() => this.view === view && this.#came(index), failed("The image"));
    if (!this.contours.here(index)) this.contours.get(index).then(() => isWanted() && this.redraw(), failed("The contours"));
    if (this.shown !== null) this.#fetchAhead();
  }

  // An image that was wanted before is shown if it is nearer to the wanted one than the present one.
  #came(index) {
    const isNearer = Math.abs(index - this.wanted) < Math.abs((this.shown ?? Infinity) - this.wanted);
    if (index !== this.wanted && !isNearer) return;
    if (index !== this.wanted) this.#late = index;
    this.redraw();
  }

  #fetchAhead() {
    const next = this.stack.neighbours();
    this.images.prefetch(next);
    this.contours.prefetch(next);
  }

  #fail(words) {
    this.shown = null;
    this.screen.blank();
    panel.say(words);
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
    panel.say("");
    this.window ??= usualWindow(values);
    this.shown = index;
    this.#late = null;
    this.screen.drawImage(index, values, this.image, this.window, this.#moving);
    this.#describe(this.#drawContours());
    this.#fetchAhead();
  }

  // Draw the visible contours and return them; null while they are loading.
  #drawContours() {
    const { shown, structures, hidden } = this;
    const here = this.contours.here(shown);
    const seen = this.allHidden ? [] : here?.filter(([number]) => !hidden.has(structures[number]?.name));
    const key = [shown, !here, structures.length, seen?.length, ...hidden].join();
    this.screen.drawContours(key, seen, structures, this.image, this.#moving);
    return seen ?? null;
  }

  #describe(drawn) {
    const names = drawn && [...new Set(drawn.map(([number]) => this.structures[number]?.name ?? "a structure"))];
    const phase = panel.describe(this.view, this.shown, this.window, names);
    Object.assign(this.stage.dataset, { index: this.shown, drawn: drawn?.length ?? "", rests: !this.#moving });
    panel.showPhase(this.structures, phase);
    panel.note(this.view, this.contours.unplaced);
  }

  // While a person scrolls or drags, lines are plain; full lines follow when the image rests.
  #move() {
    this.#moving = true;
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => {
      this.#moving = false;
      this.redraw();
    }, REST_MS);
  }

  choose(name) {
    const chosen = this.view && panel.windowOf(this.view, name, this.images.here(this.wanted));
    if (chosen) this.setWindow(chosen, name);
  }

  setWindow(window, name = "") {
    this.window = window;
    this.#move();
    $("preset").value = name;
    this.redraw();
  }

  // Change zoom or position: `how` gets the screen and the image.
  change(how) {
    how(this.screen, this.image);
    this.redraw();
  }

  toggleContours() {
    this.allHidden = !this.allHidden;
    this.redraw();
  }

  // The image that is shown, or that will be shown first.
  get image() {
    return this.view?.images[this.shown ?? this.wanted];
  }
}

function start() {
  if ($("stage")) new Viewer();
}

start();
document.addEventListener("exchanged", (event) => event.target.id === "viewer" && start());
