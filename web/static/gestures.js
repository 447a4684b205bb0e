// Wheel, drag and keys of the viewer.

const WHEEL_STEP = 40;
const RELATIVE = 1 / 400; // of the window's width, for each pixel that is dragged
const KEY_STEP = 20;

export function attach(viewer) {
  const { stage } = viewer;
  let turned = 0;
  let drag = null;

  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.ctrlKey) return viewer.magnify(Math.exp(-event.deltaY / 300));
    turned += event.deltaMode ? event.deltaY * WHEEL_STEP : event.deltaY;
    const steps = Math.trunc(turned / WHEEL_STEP);
    turned -= steps * WHEEL_STEP;
    if (steps) viewer.go(viewer.phase, viewer.slice + steps);
  }, { passive: false });

  stage.addEventListener("pointerdown", (event) => {
    if (!viewer.window || event.button > 1) return;
    drag = { x: event.clientX, y: event.clientY, moves: event.shiftKey || event.button === 1, centre: viewer.centre ?? middle(viewer), window: viewer.window };
    stage.setPointerCapture(event.pointerId);
  });

  stage.addEventListener("pointermove", (event) => {
    const box = stage.getBoundingClientRect();
    document.getElementById("under").textContent = viewer.view ? viewer.under(event.clientX - box.left, event.clientY - box.top) : "";
    if (!drag) return;
    const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
    drag.moves ? move(viewer, drag, dx, dy) : shade(viewer, drag.window, dx, -dy);
  });

  for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, () => (drag = null));
  stage.addEventListener("pointerleave", () => (document.getElementById("under").textContent = ""));
  stage.addEventListener("keydown", (event) => onKey(viewer, event));
}

const KEYS = {
  ArrowUp: (viewer) => viewer.go(viewer.phase, viewer.slice - 1),
  ArrowDown: (viewer) => viewer.go(viewer.phase, viewer.slice + 1),
  PageUp: (viewer) => viewer.go(viewer.phase, viewer.slice - 10),
  PageDown: (viewer) => viewer.go(viewer.phase, viewer.slice + 10),
  Home: (viewer) => viewer.go(viewer.phase, 0),
  End: (viewer) => viewer.go(viewer.phase, Infinity),
  ArrowLeft: (viewer) => viewer.go(viewer.phase - 1, viewer.slice),
  ArrowRight: (viewer) => viewer.go(viewer.phase + 1, viewer.slice),
  "+": (viewer) => viewer.magnify(1.25),
  "=": (viewer) => viewer.magnify(1.25),
  "-": (viewer) => viewer.magnify(0.8),
  0: (viewer) => viewer.fit(),
  c: (viewer) => viewer.toggleContours(),
  z: (viewer) => viewer.toStructures(),
  w: (viewer) => shade(viewer, viewer.window, 0, KEY_STEP),
  s: (viewer) => shade(viewer, viewer.window, 0, -KEY_STEP),
  a: (viewer) => shade(viewer, viewer.window, -KEY_STEP, 0),
  d: (viewer) => shade(viewer, viewer.window, KEY_STEP, 0),
};

function onKey(viewer, event) {
  const act = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
  if (!act || !viewer.view || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  act(viewer);
}

// Across: a wider window; upwards: a higher level.
function shade(viewer, { low, high }, across, up) {
  const width = Math.max((high - low) * Math.exp(across * RELATIVE * 2), 1e-6);
  const level = (low + high) / 2 + up * (high - low) * RELATIVE;
  viewer.setWindow(level - width / 2, level + width / 2);
}

function move(viewer, from, dx, dy) {
  const { across, down } = viewer.layout();
  viewer.centre = [from.centre[0] - (dx * devicePixelRatio) / across, from.centre[1] - (dy * devicePixelRatio) / down];
  viewer.redraw();
}

function middle(viewer) {
  const [rows, columns] = viewer.view.images[viewer.wanted].shape;
  return [columns / 2, rows / 2];
}
