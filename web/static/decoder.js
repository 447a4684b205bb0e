// A worker that fetches and decodes images, so that the page can draw meanwhile.

import { readImage } from "./decoding.js";

addEventListener("message", async ({ data: { number, image } }) => {
  try {
    const values = await readImage(image);
    postMessage({ number, values }, [values.buffer]);
  } catch (error) {
    postMessage({ number, fault: error.message });
  }
});
postMessage({ isReady: true });
