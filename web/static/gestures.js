// Wheel, drag, keys and controls of the viewer.

import { valueWords } from "./panel.js";

const WHEEL_STEP = 40;
const RELATIVE = 1 / 400; // of the window's width, for each pixel that is dragged
const KEY_STEP = 20;
const $ = (id) => document.getElementById(id);

export function attach(viewer) {
  const { stage } = viewer;
  let turned = 0;
  let drag = null;

  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.ctrlKey) return viewer.change((screen) => screen.magnify(Math.exp(-event.deltaY / 300)));
    turned += event.deltaMode ? event.deltaY * WHEEL_STEP : event.deltaY;
    const steps = Math.trunc(turned / WHEEL_STEP);
    turned -= steps * WHEEL_STEP;
    if (steps) viewer.go(viewer.stack.phase, viewer.stack.slice + steps);
  }, { passive: false });

  stage.addEventListener("pointerdown", (event) => {
    if (!viewer.window || event.button > 1) return;
    drag = { x: event.clientX, y: event.clientY, moves: event.shiftKey || event.button === 1, middle: viewer.screen.middle(viewer.image), window: viewer.window };
    stage.setPointerCapture(event.pointerId);
  });

  stage.addEventListener("pointermove", (event) => {
    const box = stage.getBoundingClientRect();
    $("under").textContent = under(viewer, event.clientX - box.left, event.clientY - box.top);
    if (!drag) return;
    const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
    drag.moves ? viewer.change((screen, image) => screen.move(image, drag.middle, dx, dy)) : shade(viewer, drag.window, dx, -dy);
  });

  for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, () => (drag = null));
  stage.addEventListener("pointerleave", () => ($("under").textContent = ""));
  stage.addEventListener("keydown", (event) => onKey(viewer, event));
  attachControls(viewer);
}

function attachControls(viewer) {
  $("view").addEventListener("change", () => viewer.load($("view").value));
  $("slice").addEventListener("input", () => viewer.go(viewer.stack.phase, +$("slice").value));
  $("phase").addEventListener("input", () => viewer.go(+$("phase").value, viewer.stack.slice));
  $("preset").addEventListener("change", () => viewer.choose($("preset").value));
  $("fit").addEventListener("click", () => viewer.change((screen) => screen.fit()));
  $("zoom-in").addEventListener("click", () => viewer.change((screen) => screen.magnify(1.25)));
  $("to-structures").addEventListener("click", () => toStructures(viewer));
}

const KEYS = {
  ArrowUp: (viewer) => viewer.go(viewer.stack.phase, viewer.stack.slice - 1),
  ArrowDown: (viewer) => viewer.go(viewer.stack.phase, viewer.stack.slice + 1),
  PageUp: (viewer) => viewer.go(viewer.stack.phase, viewer.stack.slice - 10),
  PageDown: (viewer) => viewer.go(viewer.stack.phase, viewer.stack.slice + 10),
  Home: (viewer) => viewer.go(viewer.stack.phase, 0),
  End: (viewer) => viewer.go(viewer.stack.phase, Infinity),
  ArrowLeft: (viewer) => viewer.go(viewer.stack.phase - 1, viewer.stack.slice),
  ArrowRight: (viewer) => viewer.go(viewer.stack.phase + 1, viewer.stack.slice),
  "+": (viewer) => viewer.change((screen) => screen.magnify(1.25)),
  "=": (viewer) => viewer.change((screen) => screen.magnify(1.25)),
  "-": (viewer) => viewer.change((screen) => screen.magnify(0.8)),
  0: (viewer) => viewer.change((screen) => screen.fit()),
  c: (viewer) => viewer.toggleContours(),
  z: (viewer) => toStructures(viewer),
  w: (viewer) => shade(viewer, viewer.window, 0, KEY_STEP),
  s: (viewer) => shade(viewer, viewer.window, 0, -KEY_STEP),
  a: (viewer) => shade(viewer, viewer.window, -KEY_STEP, 0),
  d: (viewer) => shade(viewer, viewer.window, KEY_STEP, 0),
};

function onKey(viewer, event) {
  const act = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
  if (!act || !viewer.window || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  act(viewer);
}

// Change the window: `across` widens it, `up` raises its level.
function shade(viewer, { low, high }, across, up) {
  const width = Math.max((high - low) * Math.exp(across * RELATIVE * 2), 1e-6);
  const level = (low + high) / 2 + up * (high - low) * RELATIVE;
  viewer.setWindow({ low: level - width / 2, high: level + width / 2 });
}

function toStructures(viewer) {
  const box = viewer.contours?.box;
  if (box) viewer.change((screen, image) => screen.show(image, box));
}

// The position and value of the pixel under a point of the stage, in words.
function under({ view, images, shown, screen, image }, x, y) {
  const values = shown != null && images.here(shown);
  const pixel = values && screen.pixelAt(image, x, y);
  return pixel ? valueWords(view, pixel, values[pixel[1] * image.shape[1] + pixel[0]]) : "";
}
