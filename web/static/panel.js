// Texts beside and over the image: place, window, structures with volumes, notes.

import { drawSample } from "./contours.js";
import { usualWindow } from "./pixels.js";

// Windows by modality: level and width in rescaled units.
const CT = { "soft tissue": [40, 400], lung: [-600, 1500], bone: [400, 1800], brain: [40, 80], liver: [60, 160] };
// Windows by modality: parts of the range from 0 (MR, PET) to an image's brightest usual value.
const PARTS = { MR: { "whole range": [0, 1], "dark tissue": [0, 0.5], "bright tissue": [0.3, 1] }, PT: { "whole range": [0, 1], "weak uptake": [0, 0.3], "strong uptake": [0.2, 1] } };
export const SOFT_TISSUE = "soft tissue", STATED = "as stated", FROM_IMAGE = "from the image";
const $ = (id) => document.getElementById(id);

// Set a text only if it changed, which spares the browser a layout.
function write(id, words) {
  const element = $(id);
  if (element.textContent !== words) element.textContent = words;
}

export function say(words) {
  write("said", words);
}

// Describe the image that is shown; `names` are the structures drawn on it, null while contours are
// loading. Returns the index of its phase.
export function describe(view, index, { low, high }, names) {
  const image = view.images[index];
  const many = view.phases.length > 1;
  const phase = view.phases.findIndex((indices) => indices.includes(index));
  const slice = view.phases[phase].indexOf(index);
  const slices = view.phases[phase].length;
  const place = `slice ${slice + 1} of ${slices}${many ? `, phase ${phase + 1} of ${view.phases.length}` : ""}`;
  const position = image.at_mm === null ? "no position" : `${image.at_mm.toFixed(1)} mm`;
  write("place", `${place[0].toUpperCase()}${place.slice(1)}\n${position} · instance ${image.number}`);
  const words = `window ${round(high - low)} · level ${round((low + high) / 2)}${unitOf(view)}`;
  write("window-words", `${words}\n${names === null ? "contours are loading" : ""}`);
  write("slice-words", `${slice + 1} of ${slices}`);
  write("phase-words", `${phase + 1} of ${view.phases.length}`);
  for (const [at, side] of ["top", "right", "bottom", "left"].entries()) write(`side-${side}`, image.sides?.[at] ?? "");
  $("contours").setAttribute("aria-label", `${place}, ${names?.length ? `with ${names.join(", ")}` : "no contours"}`);
  return phase;
}

// One check box for each structure; `toggle` is called with its name and whether it is shown.
export function listStructures(structures, hidden, toggle, words) {
  const rows = structures.map((structure, number) => {
    const row = document.createElement("tr");
    row.innerHTML = `<th scope="row"><label><input type="checkbox"><canvas aria-hidden="true"></canvas><span></span></label></th><td class="right"></td><td class="right"></td>`;
    const box = row.querySelector("input");
    box.checked = !hidden.has(structure.name);
    box.addEventListener("change", () => toggle(structure.name, box.checked));
    row.querySelector("span").textContent = structure.name;
    drawSample(row.querySelector("canvas"), structure, number);
    return row;
  });
  $("structures").tBodies[0].replaceChildren(...rows);
  write("structures-words", words);
}

// Show the volumes that the job measured in one phase, and on how many of its images structures are.
export function showPhase(structures, phase) {
  const rows = $("structures").tBodies[0].rows;
  for (const [number, structure] of structures.entries()) {
    const volume = structure.volumes_ml[phase];
    show(rows[number]?.cells[1], volume === undefined ? "not measured" : volume.toFixed(1));
    show(rows[number]?.cells[2], `${structure.images_by_phase[phase] ?? 0}`);
  }
}

function show(cell, words) {
  if (cell && cell.textContent !== words) cell.textContent = words;
}

export function note(view, unplaced) {
  const notes = [...view.notes];
  if (unplaced) notes.push(`${unplaced} contours are on none of these images`);
  if ($("notes").childElementCount === notes.length) return;
  $("notes").replaceChildren(...notes.map((words) => Object.assign(document.createElement("li"), { textContent: words })));
}

// Offer the windows that a view can be shown with, and select `chosen`.
export function offerWindows(view, chosen) {
  const own = Object.keys(view.modality === "CT" ? CT : (PARTS[view.modality] ?? {}));
  const names = ["", ...own, ...(view.window ? [STATED] : []), FROM_IMAGE];
  $("preset").replaceChildren(...names.map((name) => new Option(name || "as chosen", name)));
  $("preset").value = chosen;
}

// Lowest and highest value of a window by its name; undefined if unknown.
export function windowOf(view, name, values) {
  if (name === FROM_IMAGE) return values && usualWindow(values);
  if (name === STATED) return { low: view.window[0], high: view.window[1] };
  if (view.modality === "CT") return CT[name] && { low: CT[name][0] - CT[name][1] / 2, high: CT[name][0] + CT[name][1] / 2 };
  const part = PARTS[view.modality]?.[name];
  if (!part || !values) return undefined;
  const brightest = usualWindow(values).high;
  return { low: part[0] * brightest, high: part[1] * brightest };
}

export function valueWords(view, [column, row], value) {
  return `column ${column}, row ${row}: ${round(value)}${unitOf(view)}`;
}

function unitOf(view) {
  return view.units === "rescaled" ? "" : ` ${view.units}`;
}

function round(value) {
  return Math.abs(value) >= 100 ? value.toFixed(0) : +value.toPrecision(3);
}
