// The current slice and phase of a view, and the images that are probably wanted next.

const AHEAD = 24;
const BEHIND = 6;
const $ = (id) => document.getElementById(id);

export class Stack {
  phase = 0;
  slice = 0;
  #direction = 1;

  constructor(phases) {
    this.phases = phases;
    $("phase-row").hidden = phases.length < 2;
    $("phase").max = Math.max(0, phases.length - 1);
  }

  // Go to a slice and phase, or the nearest that exist; sets the sliders, returns the image's index.
  go(phase, slice) {
    this.phase = Math.min(Math.max(phase, 0), this.phases.length - 1);
    const inPhase = this.phases[this.phase];
    slice = Math.min(Math.max(slice, 0), inPhase.length - 1);
    this.#direction = Math.sign(slice - this.slice) || this.#direction;
    this.slice = slice;
    $("slice").max = inPhase.length - 1;
    $("slice").value = slice;
    $("phase").value = this.phase;
    return inPhase[slice];
  }

  // Indices of images nearby, the nearest first, most of them in the direction of scrolling.
  neighbours() {
    const inPhase = this.phases[this.phase];
    const found = [];
    for (let away = 1; away <= AHEAD; away++) {
      found.push(inPhase[this.slice + away * this.#direction]);
      if (away <= BEHIND) found.push(inPhase[this.slice - away * this.#direction]);
      if (away === 1) for (const phase of this.phases) if (phase !== inPhase) found.push(phase[this.slice]);
    }
    return found.filter((index) => index !== undefined);
  }
}
