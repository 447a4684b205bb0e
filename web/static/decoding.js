// Fetching an image from the server and decoding it.

// Undo HDF5's shuffle of little-endian float32 (all first bytes, all second bytes, ...).
function unshuffle(buffer) {
  const bytes = new Uint8Array(buffer);
  const count = bytes.length >> 2;
  const words = new Uint32Array(count);
  const second = count, third = 2 * count, fourth = 3 * count;
  for (let at = 0; at < count; at++)
    words[at] = bytes[at] | (bytes[second + at] << 8) | (bytes[third + at] << 16) | (bytes[fourth + at] << 24);
  return new Float32Array(words.buffer);
}

// The values of an image in rescaled units; rejects with the reason.
export async function readImage({ url, shape: [rows, columns] }) {
  const answer = await fetch(url, { headers: { accept: "application/octet-stream" } });
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).msg ?? answer.statusText);
  const values = unshuffle(await answer.arrayBuffer());
  if (values.length !== rows * columns) throw new Error(`received ${values.length} pixels, expected ${rows * columns}`);
  return values;
}
