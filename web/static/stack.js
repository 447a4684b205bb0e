// Where a person is among the slices and phases of a view, and what they will want next.

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

  // The number of the image there, after the sliders were set; as near as there is one.
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

  // Numbers of images, the nearest first: most of them where the person is going.
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
